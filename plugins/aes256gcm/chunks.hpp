// The chunks of an object: AES-256-GCM (NIST SP 800-38D), numbered, the last one marked.
#pragma once

#include "header.hpp"

#include <cstdint>
#include <memory>
#include <span>

struct evp_cipher_ctx_st;

namespace aes256gcm {

/// Seals and opens chunks by number: a bk::ChunkCipher. Confined to one thread.
class Chunks {
public:
    static constexpr size_t kPlain = 64 * 1024, kTag = 16;
    /// A nonce has four bytes for the number: 256 TiB.
    static constexpr uint64_t kMostChunks = uint64_t{1} << 32;

    explicit Chunks(const DataKey& key);
    /// Throws UNSUPPORTED when the number is too large for a nonce of its own.
    void seal(uint64_t chunk, bool last, std::span<const uint8_t> plain, uint8_t* out);
    [[nodiscard]] bool open(uint64_t chunk, bool last, std::span<const uint8_t> stored,
                            uint8_t* out);

private:
    struct Free {
        void operator()(evp_cipher_ctx_st* context) const noexcept;
    };
    // One context a direction: the key is set once, and each chunk changes the nonce alone.
    std::unique_ptr<evp_cipher_ctx_st, Free> seal_, open_;
};

} // namespace aes256gcm
