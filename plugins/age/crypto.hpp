// The primitives of age v1 over libcrypto: X25519 (RFC 7748), HKDF and HMAC with SHA-256 (RFC 5869,
// RFC 2104), ChaCha20-Poly1305 (RFC 8439), scrypt (RFC 7914). Nothing of the file format. A failure
// of the library itself throws INTERNAL.
#pragma once

#include <bkhost/secret.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

struct evp_cipher_ctx_st;

namespace age_plugin {

using View = std::span<const uint8_t>;
using bk::SecretText;
using Key = bk::SecretBytes<32>;
using FileKey = bk::SecretBytes<16>;
using Point = std::array<uint8_t, 32>; ///< a public key
using Digest = std::array<uint8_t, 32>;
using Nonce = std::array<uint8_t, 12>;

inline constexpr size_t kTagSize = 16;

inline View view(std::string_view text) noexcept {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// From the system's generator. Thread-safe, as all functions here.
void random_bytes(std::span<uint8_t> out);

[[nodiscard]] Point x25519_public(const Key& secret);
/// The shared secret; nothing when `point` is of low order, so that the result would be zero.
[[nodiscard]] std::optional<Key> x25519(const Key& secret, const Point& point);

[[nodiscard]] Digest sha256(View message);
[[nodiscard]] Digest hmac_sha256(View key, View message);
/// The first 32 bytes of HKDF.
[[nodiscard]] Key hkdf_sha256(View input, View salt, std::string_view info);
/// r = 8, p = 1, N = 2^log_n; takes 2^log_n KiB. Throws NO_MEMORY.
[[nodiscard]] Key scrypt(std::string_view passphrase, View salt, int log_n);
/// In constant time.
[[nodiscard]] bool equal(const Digest& a, const Digest& b) noexcept;

/// ChaCha20-Poly1305 under one key, without additional data. Confined to one thread.
class Aead {
public:
    explicit Aead(const Key& key);
    /// Writes plain.size() + kTagSize bytes.
    void seal(const Nonce& nonce, View plain, uint8_t* out);
    /// Writes sealed.size() - kTagSize bytes; false, and zeros written, when the tag does not fit.
    [[nodiscard]] bool open(const Nonce& nonce, View sealed, uint8_t* out);

private:
    struct Free {
        void operator()(evp_cipher_ctx_st* context) const noexcept;
    };
    // One context a direction: the key is set once, and each message changes the nonce alone.
    std::unique_ptr<evp_cipher_ctx_st, Free> seal_, open_;
};

} // namespace age_plugin
