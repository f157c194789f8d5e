// The plugin "age": options, the driver's tables and the module. The cipher is in encrypting.cpp
// and decrypting.cpp.
#include "decrypting.hpp"
#include "encrypting.hpp"
#include "key_files.hpp"

#include <bkhost/transform.hpp>

#include <array>
#include <memory>
#include <string_view>

namespace {

using namespace age_plugin;

constexpr std::array kOptions = {
    bk::option("recipients", BK_OPT_STRING, "who can read: public keys age1...", nullptr, nullptr,
               BK_OPT_REPEATED | BK_OPT_URL_TARGET),
    bk::option("recipients-files", BK_OPT_PATH, "files of public keys, one a line", nullptr,
               nullptr, BK_OPT_REPEATED),
    bk::option("identity-files", BK_OPT_PATH,
               "files of secret keys as age-keygen writes them, needed to read alone", nullptr,
               nullptr, BK_OPT_REPEATED | BK_OPT_IDENTITY),
    bk::option("passphrase", BK_OPT_SECRET, "instead of keys: one passphrase to write and read",
               nullptr, nullptr, BK_OPT_IDENTITY),
    bk::option("work-factor", BK_OPT_INT,
               "cost of trying a passphrase: log2 of the scrypt N, which is the KiB it takes", "18",
               "1..22", BK_OPT_ADVANCED),
};

SecretText read_passphrase(const bk::Config& config) {
    return SecretText(config.text("passphrase"));
}

Lock read_lock(const bk::Config& config) {
    Lock lock{{}, read_passphrase(config), static_cast<int>(config.number("work-factor"))};
    for (const std::string& text : config.list("recipients"))
        lock.recipients.push_back(parse_recipient(text));
    for (const std::string& path : config.list("recipients-files"))
        read_recipients_file(path, lock.recipients);
    return lock;
}

Unlock read_unlock(const bk::Config& config) {
    Unlock unlock{{}, read_passphrase(config)};
    for (const std::string& path : config.list("identity-files"))
        read_identity_file(path, unlock.identities);
    return unlock;
}

std::unique_ptr<bk::Encryptor> make_cipher(const bk::Config& config, bk::Direction direction) {
    if (direction == bk::Direction::reverse)
        return std::make_unique<Decrypting>(read_unlock(config));
    return std::make_unique<Encrypting>(read_lock(config));
}

/// The driver: a cipher of the one direction or the other. Confined to one thread.
class Age final : public bk::Encryptor {
public:
    Age(bk::Host, bk::Config config, bk::Direction direction)
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
        // Two chunks, two contexts, a header as text, parsed and as output; a key file's text and
        // the keys of each, in a vector that grows by doubling.
        constexpr uint64_t kFixed = 2 * bk::kStoredChunk<Payload> + 32 * 1024 + 6 * kMaxHeader;
        const uint64_t key_files =
            uint64_t{config.count("recipients-files")} + config.count("identity-files");
        const uint64_t keys = uint64_t{config.count("recipients")} * 4 * sizeof(Point);
        uint64_t size = kFixed + keys + key_files * 4 * bk::KeyFile::kMaxSize;
        if (config.has("passphrase")) size += uint64_t{1024} << config.number("work-factor");
        return size;
    }
    static void generate(const bk::Emit& emit) { emit(key_file_text(new_identity()).reveal()); }
    static void public_keys(std::string_view text, const bk::Emit& emit) {
        std::vector<Identity> identities;
        parse_identities(text, "the key file", identities);
        for (const Identity& identity : identities)
            emit(recipient_text(identity.recipient));
    }

private:
    std::unique_ptr<bk::Encryptor> cipher_;
};

constexpr std::array<uint8_t, 21> kFileMagic = {'a', 'g', 'e', '-', 'e', 'n', 'c',
                                                'r', 'y', 'p', 't', 'i', 'o', 'n',
                                                '.', 'o', 'r', 'g', '/', 'v', '1'};
static_assert(kFileMagic.size() == kMagic.size());
constexpr bk_transform_file kFile{sizeof(bk_transform_file), kFileMagic.size(), kFileMagic.data(),
                                  "age", "age -d -i KEY_FILE"};

const void* extension(const char* id) noexcept {
    const std::string_view name(id);
    if (name == BK_TRANSFORM_FILE_ID) return &kFile;
    if (name == BK_ENCRYPTOR_KEYS_ID) return &bk::encryptor_extensions<Age>::keys;
    if (name == BK_ENCRYPTOR_SEEK_ID) return &bk::encryptor_extensions<Age>::seek;
    return nullptr;
}

constexpr bk::DriverInfo kInfo{.name = "age",
                               .summary = "age v1 files (age-encryption.org/v1)",
                               .options = kOptions,
                               .schemes = "age"};
constexpr bk_component kAge = bk::transform_component<Age>(BK_ENCRYPTOR_ID, kInfo, &extension);

} // namespace

BK_MODULE("org.bkhost.age", "0.1.0", "age encryption", "encryptor:age:age\n", &kAge)
