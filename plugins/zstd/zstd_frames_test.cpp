// Frame by frame (BK_FRAME): where each ends, for any cut of input and output.
#include "zstd_fixture.hpp"

#include <gtest/gtest.h>

namespace zstd_test {
namespace {

using Frame = bk::TestCodec::Frame;

const Bytes kSkippable = {0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};

class ZstdFrames : public testing::Test {
protected:
    ZstdFrames() {
        Codec whole(BK_FORWARD);
        Codec piecewise(BK_FORWARD);
        add(whole, sample(5000), {});
        add(whole, {}, {});
        add(piecewise, sample(300000, 2), {70000, 1000}); // without a content size
        stored_.insert(stored_.end(), kSkippable.begin(), kSkippable.end());
        expected_.push_back({stored_.size(), {}});
        add(whole, sample(1, 3), {});
    }
    void add(Codec& forward, const Bytes& plain, const Pieces& pieces) {
        forward.run(plain, stored_, pieces);
        expected_.push_back({stored_.size(), plain});
    }

    Bytes stored_;
    std::vector<Frame> expected_;
};

TEST_F(ZstdFrames, EndWhereTheyWereCut) {
    const Pieces cuts[] = {
        {},       {SIZE_MAX, size_t{1} << 20}, {1, 1000}, {1000, 7}, {70, 70, 1}, {900, 900, 2},
        {4000, 1}};
    for (const Pieces& cut : cuts) {
        Codec reverse(BK_REVERSE);
        EXPECT_TRUE(reverse.frames(stored_, cut) == expected_) << cut.max_in << " " << cut.max_out;
        EXPECT_TRUE(reverse.frames(stored_, cut) == expected_) << "ready again after FINISH";
    }
}

TEST_F(ZstdFrames, AreFoundBetweenRuns) {
    Codec reverse(BK_REVERSE);
    Bytes room(10000);
    bk_in in{stored_.data(), stored_.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    ASSERT_EQ(reverse.process(in, out, BK_FRAME), BK_END);
    EXPECT_EQ(in.pos, expected_[0].end);
    EXPECT_EQ(out.pos, 5000U);
    bk_in none{nullptr, 0, 0};
    EXPECT_EQ(reverse.process(none, out, BK_FRAME), BK_OK) << "no frame began";
    EXPECT_EQ(reverse.process(none, out, BK_FINISH), BK_END) << "where a frame ended";
}

TEST_F(ZstdFrames, AFrameThatIsCutIsToldByFinish) {
    for (const size_t missing : {1, 3, 4}) { // the last frame: its checksum has four bytes
        Codec reverse(BK_REVERSE);
        try {
            (void)reverse.frames(bk::head(stored_, stored_.size() - missing));
            FAIL() << missing;
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << missing;
        }
    }
}

TEST_F(ZstdFrames, DamageInOneLeavesThoseBeforeIt) {
    stored_[expected_[1].end + 100] ^= 0x40;
    Codec reverse(BK_REVERSE);
    Bytes room(1 << 20);
    bk_in in{stored_.data(), stored_.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_EQ(reverse.process(in, out, BK_FRAME), BK_END);
    EXPECT_EQ(reverse.process(in, out, BK_FRAME), BK_END);
    EXPECT_THROW(reverse.process(in, out, BK_FRAME), bk::Error);
}

TEST_F(ZstdFrames, AreNothingForACompressor) {
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
} // namespace zstd_test
