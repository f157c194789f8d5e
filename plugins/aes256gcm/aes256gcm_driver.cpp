// The plugin "aes256gcm": options, the driver's tables and the module. The cipher is in sealing.cpp
// and opening.cpp.
#include "key_text.hpp"
#include "opening.hpp"
#include "sealing.hpp"

#include <bkhost/transform.hpp>

#include <array>
#include <memory>
#include <string_view>

namespace {

using namespace aes256gcm;

constexpr std::array kOptions = {
    bk::option("key-file", BK_OPT_PATH,
               "the key: a file of 32 bytes, 64 hex digits or base64; several only to read",
               nullptr, nullptr, BK_OPT_REPEATED | BK_OPT_IDENTITY | BK_OPT_URL_TARGET),
    bk::option("key", BK_OPT_SECRET, "instead of a file: the key in base64 or hex", nullptr,
               nullptr, BK_OPT_REPEATED | BK_OPT_IDENTITY),
};

std::vector<MasterKey> read_keys(const bk::Config& config) {
    std::vector<MasterKey> keys;
    keys.reserve(config.count("key-file") + config.count("key"));
    for (const std::string& path : config.list("key-file"))
        keys.push_back(read_key_file(path));
    for (std::string& text : config.list("key")) {
        const bk::SecretText secret(std::move(text));
        keys.push_back(parse_key(secret.reveal(), "the value of 'key'"));
    }
    return keys;
}

std::unique_ptr<bk::Encryptor> make_cipher(const bk::Config& config, bk::Direction direction) {
    if (direction == bk::Direction::reverse) return std::make_unique<Opening>(read_keys(config));
    return std::make_unique<Sealing>(read_keys(config));
}

/// The driver: a cipher of the one direction or the other. Confined to one thread.
class Aes256Gcm final : public bk::Encryptor {
public:
    Aes256Gcm(bk::Host, bk::Config config, bk::Direction direction)
        : cipher_(make_cipher(config, direction)) {}

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        return cipher_->process(in, out, op);
    }
    std::vector<std::string> fingerprints() override { return cipher_->fingerprints(); }
    uint64_t header_size() noexcept override { return cipher_->header_size(); }
    Position seek(uint64_t plain_offset) override { return cipher_->seek(plain_offset); }
    uint64_t stored_end(uint64_t plain_end) noexcept override {
        return cipher_->stored_end(plain_end);
    }

    static uint64_t memory(bk::Config config, bk::Direction, uint64_t) noexcept {
        // Two chunks and two contexts; a key file's text.
        constexpr uint64_t kFixed =
            2 * bk::kStoredChunk<Chunks> + 32 * 1024 + bk::KeyFile::kMaxSize;
        const uint64_t keys = uint64_t{config.count("key-file")} + config.count("key");
        return kFixed + keys * (sizeof(MasterKey) + 256);
    }
    static void generate(const bk::Emit& emit) {
        MasterKey key;
        random_bytes(key);
        emit(key_file_text(key).reveal());
    }
    /// There is no public key: the fingerprint, which may be told.
    static void public_keys(std::string_view text, const bk::Emit& emit) {
        emit(fingerprint(parse_key_file(text, "the key file")));
    }

private:
    std::unique_ptr<bk::Encryptor> cipher_;
};

constexpr std::array<uint8_t, 16> kFileMagic = {'b', 'k', 'h', 'o', 's', 't', '/', 'a',
                                                'e', 's', '2', '5', '6', 'g', 'c', 'm'};
static_assert(kFileMagic.size() == kMagic.size());
constexpr bk_transform_file kFile{sizeof(bk_transform_file), kFileMagic.size(), kFileMagic.data(),
                                  "aes", "aes256gcm_decrypt.py KEY_FILE"};

const void* extension(const char* id) noexcept {
    const std::string_view name(id);
    if (name == BK_TRANSFORM_FILE_ID) return &kFile;
    if (name == BK_ENCRYPTOR_KEYS_ID) return &bk::encryptor_extensions<Aes256Gcm>::keys;
    if (name == BK_ENCRYPTOR_SEEK_ID) return &bk::encryptor_extensions<Aes256Gcm>::seek;
    return nullptr;
}

constexpr bk::DriverInfo kInfo{.name = "aes256gcm",
                               .summary = "AES-256-GCM with one key for writers and readers",
                               .options = kOptions,
                               .schemes = "aes256gcm"};
constexpr bk_component kDriver =
    bk::transform_component<Aes256Gcm>(BK_ENCRYPTOR_ID, kInfo, &extension);

} // namespace

BK_MODULE("org.bkhost.aes256gcm", "0.1.0", "AES-256-GCM encryption",
          "encryptor:aes256gcm:aes256gcm\n", &kDriver)
