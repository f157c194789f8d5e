// What the compressor gives and takes back, by itself and with the gzip tool.
#include "gzip_fixture.hpp"

#include <gtest/gtest.h>

namespace gzip_test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

class RoundTrip : public testing::TestWithParam<size_t> {};

TEST_P(RoundTrip, GivesTheContentBack) {
    const Bytes plain = sample(GetParam());
    Codec forward(BK_FORWARD);
    Codec reverse(BK_REVERSE);
    for (const Pieces& pieces : {Pieces{}, Pieces{SIZE_MAX, 2 * kMiB}, Pieces{4096, 100}}) {
        const Bytes packed = forward.run(plain, pieces);
        for (const Pieces& back : {pieces, Pieces{SIZE_MAX, 2 * kMiB}})
            EXPECT_TRUE(reverse.run(packed, back) == plain);
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

INSTANTIATE_TEST_SUITE_P(Sizes, RoundTrip,
                         testing::Values(0, 1, 32767, 32768, 32769, 65536, kMiB + 1));

TEST(Gzip, EveryLevelRoundTripsAndAHigherOneIsSmaller) {
    const Bytes plain = sample(300000);
    std::vector<size_t> sizes;
    for (int level = 1; level <= 12; ++level) {
        Codec forward(BK_FORWARD, {{"level", {std::to_string(level)}}});
        for (const size_t room : {size_t{1000}, kMiB}) { // by zlib, and by libdeflate
            const Bytes packed = forward.run(plain, {SIZE_MAX, room});
            EXPECT_TRUE(Codec(BK_REVERSE).run(packed) == plain) << "level " << level;
            sizes.push_back(packed.size());
        }
    }
    EXPECT_LT(sizes[16], sizes[0]) << "zlib, 9 against 1";
    EXPECT_LT(sizes[23], sizes[1]) << "libdeflate, 12 against 1";
}

TEST(Gzip, FlushGivesAllThatWasTaken) {
    const Bytes plain = sample(100000);
    for (const size_t room : {size_t{1}, size_t{5}, size_t{1000}, size_t{16384}, 2 * kMiB}) {
        Codec forward(BK_FORWARD);
        Bytes packed, piece(room);
        bk_in in{plain.data(), plain.size(), 0};
        for (bk_status status = BK_NEED_OUTPUT; status != BK_OK;) {
            bk_out out{piece.data(), piece.size(), 0};
            status = forward.process(in, out, BK_FLUSH);
            packed.insert(packed.end(), piece.begin(),
                          piece.begin() + static_cast<ptrdiff_t>(out.pos));
            ASSERT_LT(packed.size(), plain.size());
        }
        ASSERT_EQ(in.pos, plain.size());

        Codec reverse(BK_REVERSE);
        Bytes back(2 * plain.size());
        bk_in stored{packed.data(), packed.size(), 0};
        bk_out got{back.data(), back.size(), 0};
        ASSERT_EQ(reverse.process(stored, got, BK_RUN), BK_OK);
        back.resize(got.pos);
        EXPECT_TRUE(back == plain) << room;

        Bytes rest;
        forward.run(sample(10), rest);
        packed.insert(packed.end(), rest.begin(), rest.end());
        EXPECT_EQ(Codec(BK_REVERSE).run(packed).size(), plain.size() + 10);
    }
}

TEST(Gzip, AFullOutputIsAskedForWithoutLosingInput) {
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

TEST(Gzip, RoomForExactlyTheContentIsEnough) {
    const Bytes plain = sample(10000);
    const Bytes packed = Codec(BK_FORWARD).run(plain);
    Codec reverse(BK_REVERSE);
    Bytes room(plain.size());
    bk_in in{packed.data(), packed.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_EQ(reverse.process(in, out, BK_FINISH), BK_END);
    EXPECT_TRUE(room == plain);
}

TEST(Gzip, EmptyCallsInTheMiddleOfAMemberAreHarmless) {
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

TEST(Gzip, AMemberLargerThanAnyBufferPassesThrough) {
    // 64 MiB in and out of instances that keep no more than they say.
    Codec forward(BK_FORWARD, {{"level", {"1"}}});
    Codec reverse(BK_REVERSE);
    const Bytes plain = sample(kMiB);
    Bytes packed(4 * kMiB), back(kMiB);
    size_t differences = 0, given = 0;
    for (int i = 0; i < 64; ++i) {
        bk_in in{plain.data(), plain.size(), 0};
        bk_out out{packed.data(), packed.size(), 0};
        ASSERT_EQ(forward.process(in, out, i < 63 ? BK_RUN : BK_FINISH), i < 63 ? BK_OK : BK_END);
        bk_in stored{packed.data(), out.pos, 0};
        for (bk_status status = BK_NEED_OUTPUT; status == BK_NEED_OUTPUT;) {
            bk_out got{back.data(), back.size(), 0};
            status = reverse.process(stored, got, i < 63 ? BK_RUN : BK_FINISH);
            for (size_t k = 0; k < got.pos; ++k, ++given)
                differences += back[k] != plain[given % kMiB] ? 1 : 0;
        }
    }
    EXPECT_EQ(given, 64 * kMiB);
    EXPECT_EQ(differences, 0U);
}

TEST(Gzip, MembersEndToEndAreOneFileForUsAndForTheTool) {
    Codec forward(BK_FORWARD);
    Bytes plain, packed;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
        const Bytes part = sample(seed * 7919 % 50000, seed);
        plain.insert(plain.end(), part.begin(), part.end());
        const size_t room = seed % 2 == 0 ? 5000 : kMiB;
        forward.run(part, packed, {1 + seed * 10000, room, seed});
    }
    Codec reverse(BK_REVERSE);
    for (const Pieces& cut : {Pieces{777, 555}, Pieces{}, Pieces{SIZE_MAX, 2 * kMiB}})
        EXPECT_TRUE(reverse.run(packed, cut) == plain) << "ready again after END";

    const bk::TestDir dir;
    bk::write_file(dir / "x.gz", packed);
    const int exit = bk::run_tool({"gzip", "-t", dir / "x.gz"});
    if (exit == -1) GTEST_SKIP() << "the gzip tool is not installed";
    EXPECT_EQ(exit, 0);
    ASSERT_EQ(bk::run_tool({"gunzip", dir / "x.gz"}), 0);
    EXPECT_TRUE(bk::read_file(dir / "x") == plain);
}

TEST(Gzip, ReadsWhatTheToolWrites) {
    const bk::TestDir dir;
    const Bytes plain = sample(kMiB + 1);
    bk::write_file(dir / "a name", plain); // it stands in the header
    const int exit = bk::run_tool({"gzip", "-9", dir / "a name"});
    if (exit == -1) GTEST_SKIP() << "the gzip tool is not installed";
    ASSERT_EQ(exit, 0);
    const Bytes packed = bk::read_file(dir / "a name.gz");
    for (const Pieces& cut : {Pieces{}, Pieces{10, 1000}, Pieces{SIZE_MAX, 2 * kMiB}})
        EXPECT_TRUE(Codec(BK_REVERSE).run(packed, cut) == plain);
}

TEST(Gzip, EveryFieldOfAHeaderIsRead) {
    // RFC 1952, 2.3: FHCRC, FEXTRA, FNAME and FCOMMENT; the CRC16 is that of the header.
    Bytes packed = {0x1F, 0x8B, 8, 0x1E, 1, 2, 3, 4, 0, 3, 2, 0, 'x', 'y', 'n', 0, 'c', 0};
    const Bytes crc = {0x0B, 0x8B};
    const Bytes body = {0x4B, 0x04, 0x00, 0x43, 0xBE, 0xB7, 0xE8, 1, 0, 0, 0}; // "a"
    packed.insert(packed.end(), crc.begin(), crc.end());
    packed.insert(packed.end(), body.begin(), body.end());
    for (const Pieces& cut : {Pieces{}, Pieces{1, 1}})
        EXPECT_EQ(Codec(BK_REVERSE).run(packed, cut), Bytes{'a'});
}

TEST(Gzip, TellsWhatItsFilesAre) {
    const auto* file =
        static_cast<const bk_transform_file*>(driver().get_extension(BK_TRANSFORM_FILE_ID));
    ASSERT_NE(file, nullptr);
    EXPECT_STREQ(file->suffix, "gz");
    EXPECT_STREQ(file->decode_command, "gzip -d");
    ASSERT_EQ(file->magic_len, 3U);
    for (const size_t room : {size_t{1}, kMiB}) {
        const Bytes packed = Codec(BK_FORWARD).run({}, {SIZE_MAX, room});
        EXPECT_TRUE(std::equal(file->magic, file->magic + 3, packed.begin()));
    }
    EXPECT_EQ(driver().get_extension("bkhost.unknown/0"), nullptr);
}

} // namespace
} // namespace gzip_test
