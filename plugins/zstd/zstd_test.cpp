// What the compressor gives and takes back, by itself and with the zstd tool.
#include "zstd_fixture.hpp"

#include <gtest/gtest.h>

namespace zstd_test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

Bytes join(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

bk_status run_status(Codec& codec, const Bytes& input) {
    try {
        (void)codec.run(input);
        return BK_END;
    } catch (const bk::Error& error) {
        return error.status();
    }
}

class RoundTrip : public testing::TestWithParam<size_t> {};

TEST_P(RoundTrip, GivesTheContentBack) {
    const Bytes plain = sample(GetParam());
    Codec forward(BK_FORWARD);
    Codec reverse(BK_REVERSE);
    for (const Pieces& pieces : {Pieces{}, Pieces{SIZE_MAX, 2 * kMiB}, Pieces{4096, 100}}) {
        const Bytes packed = forward.run(plain, pieces);
        EXPECT_TRUE(reverse.run(packed, pieces) == plain);
    }
}

TEST_P(RoundTrip, InOneByteBuffersAndRandomSplits) {
    const Bytes plain = sample(std::min<size_t>(GetParam(), 5000));
    Codec forward(BK_FORWARD);
    Codec reverse(BK_REVERSE);
    EXPECT_TRUE(reverse.run(forward.run(plain, {SIZE_MAX, 1}), {1, 1}) == plain);
    EXPECT_TRUE(reverse.run(forward.run(plain, {1, 1}), {SIZE_MAX, 1}) == plain);
    for (uint64_t seed = 1; seed <= 50; ++seed) {
        const Pieces pieces{700, 300, seed};
        EXPECT_TRUE(reverse.run(forward.run(plain, pieces), pieces) == plain) << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, RoundTrip, testing::Values(0, 1, 4095, 4096, kMiB + 1));

TEST(Zstd, EveryLevelAndOptionRoundTrips) {
    const Bytes plain = sample(300000);
    for (int level = 1; level <= 22; ++level) {
        Codec forward(BK_FORWARD, {{"level", {std::to_string(level)}},
                                   {"long", {level % 2 == 0 ? "true" : "false"}},
                                   {"checksum", {level % 3 == 0 ? "false" : "true"}}});
        EXPECT_TRUE(Codec(BK_REVERSE).run(forward.run(plain)) == plain) << "level " << level;
    }
}

TEST(Zstd, AHigherLevelIsSmaller) {
    const Bytes plain = sample(kMiB);
    Codec fast(BK_FORWARD, {{"level", {"1"}}});
    Codec small(BK_FORWARD, {{"level", {"19"}}});
    EXPECT_LT(small.run(plain).size(), fast.run(plain).size());
}

TEST(Zstd, FramesCarryContentSizeAndChecksum) {
    // RFC 8878, 3.1.1.1.1: bits 7-6 of the descriptor tell the width of the content size, bit 2 the
    // checksum.
    const Bytes plain = sample(100000);
    for (const size_t room : {size_t{100}, kMiB}) {
        const Bytes packed = Codec(BK_FORWARD).run(plain, {SIZE_MAX, room});
        EXPECT_EQ(packed[4] & 0xC4, 0x84) << "4 bytes of content size, with checksum";
    }
    Codec without(BK_FORWARD, {{"checksum", {"false"}}});
    EXPECT_EQ(without.run(plain)[4] & 0xC4, 0x80);
}

TEST(Zstd, FlushGivesAllThatWasTaken) {
    const Bytes plain = sample(10000);
    Codec forward(BK_FORWARD);
    Bytes packed(20000);
    bk_in in{plain.data(), plain.size(), 0};
    bk_out out{packed.data(), packed.size(), 0};
    ASSERT_EQ(forward.process(in, out, BK_FLUSH), BK_OK);
    ASSERT_EQ(in.pos, plain.size());

    Codec reverse(BK_REVERSE);
    Bytes back(20000);
    bk_in stored{packed.data(), out.pos, 0};
    bk_out got{back.data(), back.size(), 0};
    ASSERT_EQ(reverse.process(stored, got, BK_RUN), BK_OK);
    back.resize(got.pos);
    EXPECT_TRUE(back == plain);
}

TEST(Zstd, AFullOutputIsAskedForWithoutLosingInput) {
    const Bytes plain = sample(10000);
    Codec forward(BK_FORWARD);
    Bytes packed(20000);
    bk_in in{plain.data(), plain.size(), 0};
    bk_out none{packed.data(), 0, 0};
    for (int i = 0; i < 40; ++i)
        ASSERT_EQ(forward.process(in, none, BK_FINISH), BK_NEED_OUTPUT);
    bk_out out{packed.data(), packed.size(), 0};
    ASSERT_EQ(forward.process(in, out, BK_FINISH), BK_END);

    Codec reverse(BK_REVERSE);
    bk_in stored{packed.data(), out.pos, 0};
    for (int i = 0; i < 40; ++i)
        ASSERT_EQ(reverse.process(stored, none, BK_FINISH), BK_NEED_OUTPUT);
    Bytes back(20000);
    bk_out got{back.data(), back.size(), 0};
    ASSERT_EQ(reverse.process(stored, got, BK_FINISH), BK_END);
    EXPECT_EQ(got.pos, plain.size());
}

TEST(Zstd, EmptyCallsInTheMiddleOfAFrameAreHarmless) {
    const Bytes packed = Codec(BK_FORWARD).run(sample(10000));
    Codec reverse(BK_REVERSE);
    Bytes room(20000);
    bk_out out{room.data(), room.size(), 0};
    bk_in half{packed.data(), packed.size() / 2, 0};
    ASSERT_EQ(reverse.process(half, out, BK_RUN), BK_OK);
    bk_in none{nullptr, 0, 0};
    for (int i = 0; i < 40; ++i)
        ASSERT_EQ(reverse.process(none, out, BK_RUN), BK_OK);
    bk_in rest{packed.data() + packed.size() / 2, packed.size() - packed.size() / 2, 0};
    EXPECT_EQ(reverse.process(rest, out, BK_FINISH), BK_END);
}

TEST(Zstd, FramesEndToEndAreOneFileForUsAndForTheTool) {
    Codec forward(BK_FORWARD, {{"long", {"true"}}});
    Bytes plain, packed;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        const Bytes part = sample(seed * 7919 % 50000, seed);
        plain.insert(plain.end(), part.begin(), part.end());
        forward.run(part, packed, {1 + seed * 1000, 5000, seed});
    }
    Codec reverse(BK_REVERSE);
    EXPECT_TRUE(reverse.run(packed, {777, 555}) == plain);
    EXPECT_TRUE(reverse.run(packed) == plain) << "ready again after END";

    const TestDir dir;
    bk::write_file(dir / "x.zst", packed);
    const int exit = bk::run_tool({"zstd", "-d", "-q", "-o", dir / "x", dir / "x.zst"});
    if (exit == -1) GTEST_SKIP() << "the zstd tool is not installed";
    ASSERT_EQ(exit, 0);
    EXPECT_TRUE(bk::read_file(dir / "x") == plain);
}

TEST(Zstd, TheWidestFrameIsReadByTheToolWithItsDefaults) {
    // A frame of unknown size at level 22 with "long": a window of 128 MiB.
    Codec forward(BK_FORWARD, {{"level", {"22"}}, {"long", {"true"}}});
    const Bytes plain = sample(100000);
    const Bytes packed = forward.run(plain, {60000});
    EXPECT_EQ(packed[4] & 0xE0, 0x00) << "no content size and no single segment";
    EXPECT_EQ(packed[5], (27 - 10) << 3);
    EXPECT_TRUE(Codec(BK_REVERSE).run(packed) == plain);

    const TestDir dir;
    bk::write_file(dir / "x.zst", packed);
    const int exit = bk::run_tool({"zstd", "-d", "-q", "-o", dir / "x", dir / "x.zst"});
    if (exit == -1) GTEST_SKIP() << "the zstd tool is not installed";
    ASSERT_EQ(exit, 0);
    EXPECT_TRUE(bk::read_file(dir / "x") == plain);
}

TEST(Zstd, ReadsWhatTheToolWrites) {
    const TestDir dir;
    const Bytes plain = sample(kMiB + 1);
    bk::write_file(dir / "x", plain);
    const int exit =
        bk::run_tool({"zstd", "-q", "-9", "--long=24", "-o", dir / "x.zst", dir / "x"});
    if (exit == -1) GTEST_SKIP() << "the zstd tool is not installed";
    ASSERT_EQ(exit, 0);
    EXPECT_TRUE(Codec(BK_REVERSE).run(bk::read_file(dir / "x.zst")) == plain);
}

TEST(Zstd, SkippableFramesAreSkipped) {
    const Bytes skippable = {0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    const Bytes plain = sample(1000);
    const Bytes frame = Codec(BK_FORWARD).run(plain);
    Codec reverse(BK_REVERSE);
    EXPECT_TRUE(reverse.run(join({skippable, frame, skippable})) == plain);
    EXPECT_TRUE(reverse.run(join({frame, skippable, skippable}), {1, 1}) == plain);
    EXPECT_EQ(run_status(reverse, join({frame, Bytes(skippable.begin(), skippable.end() - 1)})),
              BK_E_CORRUPT);
}

TEST(Zstd, TellsWhatItsFilesAre) {
    const auto* file =
        static_cast<const bk_transform_file*>(driver().get_extension(BK_TRANSFORM_FILE_ID));
    ASSERT_NE(file, nullptr);
    EXPECT_STREQ(file->suffix, "zst");
    EXPECT_STREQ(file->decode_command, "zstd -d");
    const Bytes packed = Codec(BK_FORWARD).run({});
    ASSERT_EQ(file->magic_len, 4U);
    EXPECT_TRUE(std::equal(file->magic, file->magic + 4, packed.begin()));
    EXPECT_EQ(driver().get_extension("bkhost.unknown/0"), nullptr);
}

} // namespace
} // namespace zstd_test
