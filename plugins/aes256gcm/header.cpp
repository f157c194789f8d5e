#include "header.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

namespace aes256gcm {
namespace {

// Offsets.
constexpr size_t kVersionAt = 16, kChunkLogAt = 17, kReservedAt = 18, kKeyIdAt = 24, kSaltAt = 32,
                 kCheckAt = 64, kSumAt = 80;
constexpr size_t kSaltSize = 32, kCheckSize = 16, kSumSize = 16;
constexpr uint8_t kVersion = 1, kChunkLog = 16;

constexpr const char* kFetchAgain = "fetch the object again; if it is the same, use another copy";

struct Derived {
    DataKey key;
    std::array<uint8_t, kCheckSize> check;
};

std::span<const uint8_t> part(const Header& header, size_t at, size_t size) {
    return std::span(header).subspan(at, size);
}

Derived derive(const Header& header, const MasterKey& key) {
    bk::SecretBytes<sizeof(DataKey) + kCheckSize> output;
    hkdf_sha256(key, part(header, kSaltAt, kSaltSize), part(header, 0, kCheckAt), output);
    Derived derived;
    std::copy_n(output.begin(), derived.key.size(), derived.key.begin());
    std::copy_n(output.begin() + sizeof(DataKey), kCheckSize, derived.check.begin());
    return derived;
}

std::array<uint8_t, 32> sha256(std::span<const uint8_t> bytes) {
    std::array<uint8_t, 32> digest;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) !=
        1) {
        ERR_clear_error();
        throw bk::Error(BK_E_INTERNAL, "libcrypto failed: SHA-256");
    }
    return digest;
}

[[noreturn]] void throw_damaged(const char* what) {
    throw bk::Error(BK_E_CORRUPT, std::string("the aes256gcm header is damaged: ") + what,
                    kFetchAgain);
}

[[noreturn]] void throw_unknown(const std::string& what) {
    throw bk::Error(BK_E_UNSUPPORTED, "the aes256gcm file has " + what + ", which is unknown here",
                    "read it with the bkhost that wrote it, or a newer one");
}

} // namespace

Header new_header(const MasterKey& key) {
    Header header{};
    std::copy(kMagic.begin(), kMagic.end(), header.begin());
    header[kVersionAt] = kVersion;
    header[kChunkLogAt] = kChunkLog;
    const KeyId id = key_id(key);
    std::copy(id.begin(), id.end(), header.begin() + kKeyIdAt);
    random_bytes(std::span(header).subspan(kSaltAt, kSaltSize));
    const Derived derived = derive(header, key);
    std::copy(derived.check.begin(), derived.check.end(), header.begin() + kCheckAt);
    const auto digest = sha256(part(header, 0, kSumAt));
    std::copy_n(digest.begin(), kSumSize, header.begin() + kSumAt);
    return header;
}

void check_header(const Header& header) {
    if (!std::equal(kMagic.begin(), kMagic.end(), header.begin()))
        throw bk::Error(BK_E_CORRUPT, "not an aes256gcm file, or its header is damaged: its magic",
                        "check that the object is the one that was written");
    const auto digest = sha256(part(header, 0, kSumAt));
    if (!std::equal(header.begin() + kSumAt, header.end(), digest.begin()))
        throw_damaged("its checksum differs");
    if (header[kVersionAt] != kVersion)
        throw_unknown("version " + std::to_string(header[kVersionAt]));
    if (header[kChunkLogAt] != kChunkLog)
        throw_unknown("chunks of 2^" + std::to_string(header[kChunkLogAt]) + " bytes");
    const auto reserved = part(header, kReservedAt, kKeyIdAt - kReservedAt);
    if (std::any_of(reserved.begin(), reserved.end(), [](uint8_t byte) { return byte != 0; }))
        throw_unknown("a parameter");
}

KeyId key_id_of(const Header& header) {
    KeyId id;
    std::copy_n(header.begin() + kKeyIdAt, id.size(), id.begin());
    return id;
}

DataKey data_key(const Header& header, const MasterKey& key) {
    const Derived derived = derive(header, key);
    if (CRYPTO_memcmp(derived.check.data(), header.data() + kCheckAt, kCheckSize) != 0)
        throw_damaged("it was not made with this key, though it names it");
    return derived.key;
}

} // namespace aes256gcm
