// The payload of an age file: chunks of 64 KiB, each sealed on its own, in the STREAM construction.
#pragma once

#include "crypto.hpp"

#include <cstdint>

namespace age_plugin {

using PayloadNonce = std::array<uint8_t, 16>;

/// Seals and opens chunks by number: a bk::ChunkCipher. Confined to one thread.
class Payload {
public:
    static constexpr size_t kPlain = 64 * 1024, kTag = kTagSize;
    Payload(const FileKey& file_key, const PayloadNonce& nonce);
    void seal(uint64_t chunk, bool last, View plain, uint8_t* out);
    [[nodiscard]] bool open(uint64_t chunk, bool last, View stored, uint8_t* out);

private:
    Aead aead_;
};

} // namespace age_plugin
