// Member by member (BK_FRAME): where each ends, for any cut of input and output.
#include "gzip_fixture.hpp"

#include <gtest/gtest.h>

namespace gzip_test {
namespace {

class GzipFrames : public testing::Test {
protected:
    GzipFrames() {
        Codec forward(BK_FORWARD);
        add(forward, sample(5000), {SIZE_MAX, size_t{1} << 20}); // by libdeflate
        add(forward, {}, {});
        add(forward, sample(300000, 2), {70000, 1000}); // by zlib
        add(forward, sample(1, 3), {SIZE_MAX, 1});
    }
    void add(Codec& forward, const Bytes& plain, const Pieces& pieces) {
        forward.run(plain, stored_, pieces);
        expected_.push_back({stored_.size(), plain});
    }

    Bytes stored_;
    std::vector<bk::TestCodec::Frame> expected_;
};

TEST_F(GzipFrames, EndWhereTheyWereCut) {
    const Pieces cuts[] = {
        {},       {SIZE_MAX, size_t{1} << 20}, {1, 1000}, {1000, 7}, {70, 70, 1}, {900, 900, 2},
        {4000, 1}};
    for (const Pieces& cut : cuts) {
        Codec reverse(BK_REVERSE);
        EXPECT_TRUE(reverse.frames(stored_, cut) == expected_) << cut.max_in << " " << cut.max_out;
        EXPECT_TRUE(reverse.frames(stored_, cut) == expected_) << "ready again after FINISH";
    }
}

TEST_F(GzipFrames, AMemberThatIsCutIsToldByFinish) {
    for (const size_t missing : {1, 8, 9}) { // checksum and size have eight bytes
        Codec reverse(BK_REVERSE);
        try {
            (void)reverse.frames(bk::head(stored_, stored_.size() - missing));
            FAIL() << missing;
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << missing;
        }
    }
}

TEST_F(GzipFrames, AreNothingForACompressor) {
    Codec forward(BK_FORWARD);
    bk_in in{stored_.data(), stored_.size(), 0};
    bk_out out{nullptr, 0, 0};
    try {
        forward.process(in, out, BK_FRAME);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
    }
}

} // namespace
} // namespace gzip_test
