// What the tests of this folder share: the driver under test, and the words of the testing kit.
#pragma once

#include <bkhost/testing/test_codec.hpp>

namespace zstd_test {

using bk::Bytes;
using bk::Pieces;
using bk::sample;
using bk::TestDir;
using Values = bk::FakeConfig::Values;

[[nodiscard]] inline const bk_component& driver() { return bk::linked_driver("zstd"); }

class Codec : public bk::TestCodec {
public:
    explicit Codec(int32_t direction, const Values& values = {})
        : TestCodec(driver(), direction, values) {}
};

} // namespace zstd_test
