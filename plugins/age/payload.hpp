// The payload of an age file: chunks of 64 KiB, each sealed on its own, in the STREAM construction.
#pragma once

#include "crypto.hpp"

#include <cstdint>

namespace age_plugin {

inline constexpr size_t kPlainChunk = 64 * 1024;
inline constexpr size_t kStoredChunk = kPlainChunk + kTagSize;

using PayloadNonce = std::array<uint8_t, 16>;

/// Seals and opens chunks by number. Confined to one thread.
class Payload {
public:
    Payload(const FileKey& file_key, const PayloadNonce& nonce);
    /// Writes plain.size() + kTagSize bytes.
    void seal(uint64_t chunk, bool last, View plain, uint8_t* out);
    /// Writes stored.size() - kTagSize bytes; false, and zeros written, when the tag does not fit.
    [[nodiscard]] bool open(uint64_t chunk, bool last, View stored, uint8_t* out);

private:
    Aead aead_;
};

} // namespace age_plugin
