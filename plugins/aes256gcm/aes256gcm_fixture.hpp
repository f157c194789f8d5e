// What the tests of this folder share: the driver under test, two keys, and the words of the
// testing kit.
#pragma once

#include "key_text.hpp"

#include <bkhost/testing/test_codec.hpp>

namespace aes256gcm_test {

using bk::Bytes;
using bk::Pieces;
using bk::sample;
using bk::TestDir;
using Values = bk::FakeConfig::Values;

constexpr size_t kChunk = 65536;
constexpr size_t kStored = kChunk + 16;
constexpr size_t kHeader = 96;

[[nodiscard]] inline const bk_component& driver() { return bk::linked_driver("aes256gcm"); }

class Codec : public bk::TestCodec {
public:
    explicit Codec(int32_t direction, const Values& values = {})
        : TestCodec(driver(), direction, values) {}
};

/// Two keys for these tests alone: 0, 1, 2 … 31, and the same backwards.
inline constexpr const char* kKey1 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
inline constexpr const char* kKey2 = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
inline const Values kHolder1 = {{"key", {kKey1}}};
inline const Values kHolder2 = {{"key", {kKey2}}};

[[nodiscard]] inline Bytes encrypt(const Bytes& plain) {
    return Codec(BK_FORWARD, kHolder1).run(plain);
}

/// What decrypting fails with; BK_OK when it does not. `output` gets what came out before.
[[nodiscard]] inline bk::Error failure_of(const Bytes& stored, Bytes& output,
                                          const Pieces& pieces = {}) {
    return bk::failure_of(Codec(BK_REVERSE, kHolder1), stored, output, pieces);
}
[[nodiscard]] inline bk::Error failure_of(const Bytes& stored, const Pieces& pieces = {}) {
    Bytes output;
    return failure_of(stored, output, pieces);
}

} // namespace aes256gcm_test
