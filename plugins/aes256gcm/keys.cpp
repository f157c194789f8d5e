#include "keys.hpp"

#include "key_text.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <memory>

namespace aes256gcm {
namespace {

constexpr std::string_view kKeyIdInfo = "bkhost/aes256gcm key id";

struct FreeKdf {
    void operator()(EVP_KDF* kdf) const noexcept { EVP_KDF_free(kdf); }
};
struct FreeKdfContext {
    void operator()(EVP_KDF_CTX* context) const noexcept { EVP_KDF_CTX_free(context); }
};

void check(bool good, const char* what) {
    if (good) return;
    ERR_clear_error();
    throw bk::Error(BK_E_INTERNAL, std::string("libcrypto failed: ") + what);
}

// The interface takes what it only reads by pointers that are not const.
OSSL_PARAM octets(const char* name, std::span<const uint8_t> bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(bytes.data()),
                                             bytes.size());
}

} // namespace

void random_bytes(std::span<uint8_t> out) {
    check(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "random bytes");
}

void hkdf_sha256(const MasterKey& key, std::span<const uint8_t> salt, std::span<const uint8_t> info,
                 std::span<uint8_t> out) {
    const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    check(kdf != nullptr, "HKDF");
    const std::unique_ptr<EVP_KDF_CTX, FreeKdfContext> context(EVP_KDF_CTX_new(kdf.get()));
    check(context != nullptr, "HKDF");
    std::string digest = "SHA256";
    std::array<OSSL_PARAM, 5> params = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        octets(OSSL_KDF_PARAM_KEY, key),
        octets(OSSL_KDF_PARAM_INFO, info),
        octets(OSSL_KDF_PARAM_SALT, salt),
        OSSL_PARAM_construct_end(),
    };
    if (salt.empty()) params[3] = OSSL_PARAM_construct_end();
    check(EVP_KDF_derive(context.get(), out.data(), out.size(), params.data()) == 1, "HKDF");
}

KeyId key_id(const MasterKey& key) {
    KeyId id;
    hkdf_sha256(key, {}, {reinterpret_cast<const uint8_t*>(kKeyIdInfo.data()), kKeyIdInfo.size()},
                id);
    return id;
}

std::string fingerprint(const MasterKey& key) { return "aes256gcm:" + hex(key_id(key)); }

MasterKey read_key_file(const std::string& path) {
    const bk::KeyFile file(path, "aes256gcm");
    file.refuse_when_others_may_read();
    return parse_key_file(file.read().reveal(), "the key file " + file.name());
}

} // namespace aes256gcm
