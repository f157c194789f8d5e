// The nonce of a chunk: its number in 11 bytes, big-endian, and one byte that marks the last.
#include "payload.hpp"

namespace age_plugin {
namespace {

Nonce chunk_nonce(uint64_t chunk, bool last) {
    Nonce nonce{}; // the upper three bytes of the number stay zero: 2^64 chunks are 2^80 bytes
    for (size_t i = 0; i < 8; ++i)
        nonce[10 - i] = static_cast<uint8_t>(chunk >> (8 * i));
    nonce[11] = last ? 1 : 0;
    return nonce;
}

} // namespace

Payload::Payload(const FileKey& file_key, const PayloadNonce& nonce)
    : aead_(hkdf_sha256(file_key, nonce, "payload")) {}

void Payload::seal(uint64_t chunk, bool last, View plain, uint8_t* out) {
    aead_.seal(chunk_nonce(chunk, last), plain, out);
}

bool Payload::open(uint64_t chunk, bool last, View stored, uint8_t* out) {
    return aead_.open(chunk_nonce(chunk, last), stored, out);
}

} // namespace age_plugin
