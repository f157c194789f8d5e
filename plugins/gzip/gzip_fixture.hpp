// What the tests of this folder share: the driver under test, and the words of the testing kit.
#pragma once

#include <bkhost/testing/test_codec.hpp>

namespace gzip_test {

using bk::Bytes;
using bk::Pieces;
using bk::sample;
using Values = bk::FakeConfig::Values;

[[nodiscard]] inline const bk_component& driver() { return bk::linked_driver("gzip"); }

class Codec : public bk::TestCodec {
public:
    explicit Codec(int32_t direction, const Values& values = {})
        : TestCodec(driver(), direction, values) {}
};

[[nodiscard]] inline bk::Error failure_of(const Bytes& packed, Bytes& output,
                                          const Pieces& pieces = {}) {
    return bk::failure_of(Codec(BK_REVERSE), packed, output, pieces);
}

} // namespace gzip_test
