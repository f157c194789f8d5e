// The primitives, by the high-level interfaces of OpenSSL 3.
#include "crypto.hpp"

#include <bkhost/error.hpp>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <string>
#include <vector>

namespace age_plugin {
namespace {

void check(int result, const char* what) {
    if (result > 0) return;
    ERR_clear_error();
    throw bk::Error(BK_E_INTERNAL, std::string("libcrypto failed: ") + what);
}

struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeKeyContext {
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
};
using PKey = std::unique_ptr<EVP_PKEY, FreeKey>;

PKey private_key(const Key& secret) {
    PKey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
    check(key != nullptr, "X25519 private key");
    return key;
}

} // namespace

void random_bytes(std::span<uint8_t> out) {
    check(RAND_bytes(out.data(), static_cast<int>(out.size())), "random bytes");
}

Point x25519_public(const Key& secret) {
    const PKey key = private_key(secret);
    Point point;
    size_t size = point.size();
    check(EVP_PKEY_get_raw_public_key(key.get(), point.data(), &size), "X25519 public key");
    return point;
}

std::optional<Key> x25519(const Key& secret, const Point& point) {
    const PKey mine = private_key(secret);
    const PKey theirs(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point.data(), point.size()));
    check(theirs != nullptr, "X25519 public key");
    const std::unique_ptr<EVP_PKEY_CTX, FreeKeyContext> context(
        EVP_PKEY_CTX_new(mine.get(), nullptr));
    check(context != nullptr, "X25519");
    check(EVP_PKEY_derive_init(context.get()), "X25519");
    check(EVP_PKEY_derive_set_peer(context.get(), theirs.get()), "X25519 peer");
    std::optional<Key> shared(std::in_place);
    size_t size = shared->size();
    if (EVP_PKEY_derive(context.get(), shared->data(), &size) > 0) return shared;
    ERR_clear_error();
    return std::nullopt;
}

Digest sha256(View message) {
    Digest digest;
    check(EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha256(), nullptr),
          "SHA-256");
    return digest;
}

Digest hmac_sha256(View key, View message) {
    static constexpr uint8_t kEmpty = 0; // libcrypto takes a null key for "the same as before"
    Digest digest;
    check(HMAC(EVP_sha256(), key.empty() ? &kEmpty : key.data(), static_cast<int>(key.size()),
               message.data(), message.size(), digest.data(), nullptr) != nullptr,
          "HMAC");
    return digest;
}

Key hkdf_sha256(View input, View salt, std::string_view info) {
    Digest extracted = hmac_sha256(salt, input);
    std::string block(info);
    block.push_back('\1'); // the number of the block: 32 bytes are one
    Digest expanded = hmac_sha256(extracted, view(block));
    Key key;
    std::copy(expanded.begin(), expanded.end(), key.begin());
    bk::wipe(extracted.data(), extracted.size());
    bk::wipe(expanded.data(), expanded.size());
    return key;
}

Key scrypt(std::string_view passphrase, View salt, int log_n) {
    const uint64_t n = uint64_t{1} << log_n;
    const uint64_t memory_limit = 1024 * n + (uint64_t{1} << 20);
    Key key;
    if (EVP_PBE_scrypt(passphrase.data(), passphrase.size(), salt.data(), salt.size(), n, 8, 1,
                       memory_limit, key.data(), key.size()) <= 0) {
        ERR_clear_error();
        throw bk::Error(BK_E_NO_MEMORY,
                        "no memory for scrypt with work factor " + std::to_string(log_n),
                        "it takes 2^factor KiB");
    }
    return key;
}

bool equal(const Digest& a, const Digest& b) noexcept {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Aead::Free::operator()(EVP_CIPHER_CTX* context) const noexcept {
    EVP_CIPHER_CTX_free(context);
}

Aead::Aead(const Key& key) : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
    const EVP_CIPHER* cipher = EVP_chacha20_poly1305();
    check(seal_ != nullptr && open_ != nullptr, "cipher context");
    check(EVP_EncryptInit_ex(seal_.get(), cipher, nullptr, key.data(), nullptr), "cipher key");
    check(EVP_DecryptInit_ex(open_.get(), cipher, nullptr, key.data(), nullptr), "cipher key");
}

void Aead::seal(const Nonce& nonce, View plain, uint8_t* out) {
    int done = 0;
    check(EVP_EncryptInit_ex(seal_.get(), nullptr, nullptr, nullptr, nonce.data()), "nonce");
    if (!plain.empty())
        check(EVP_EncryptUpdate(seal_.get(), out, &done, plain.data(),
                                static_cast<int>(plain.size())),
              "encryption");
    int none = 0;
    check(EVP_EncryptFinal_ex(seal_.get(), out + done, &none), "encryption");
    check(EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, out + plain.size()),
          "tag");
}

bool Aead::open(const Nonce& nonce, View sealed, uint8_t* out) {
    if (sealed.size() < kTagSize) return false;
    const size_t size = sealed.size() - kTagSize;
    std::array<uint8_t, kTagSize> tag;
    std::copy(sealed.end() - kTagSize, sealed.end(), tag.begin());
    int done = 0;
    check(EVP_DecryptInit_ex(open_.get(), nullptr, nullptr, nullptr, nonce.data()), "nonce");
    check(EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()), "tag");
    if (size > 0)
        check(EVP_DecryptUpdate(open_.get(), out, &done, sealed.data(), static_cast<int>(size)),
              "decryption");
    int none = 0;
    std::array<uint8_t, kTagSize> nothing;
    if (EVP_DecryptFinal_ex(open_.get(), nothing.data(), &none) > 0) return true;
    ERR_clear_error();
    bk::wipe(out, size);
    return false;
}

} // namespace age_plugin
