// Damaged, truncated and foreign input: an error every time, and never wrong content as a success.
#include "gzip_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gzip_test {
namespace {

using testing::HasSubstr;

const Pieces kCuts[] = {{}, {1, 1}, {3, 1000}, {SIZE_MAX, 100}};

bk_status status_of(const Bytes& packed, const Pieces& pieces = {}) {
    Bytes output;
    return failure_of(packed, output, pieces).status();
}

TEST(GzipDamage, TruncationAtEveryByteIsCorrupt) {
    const Bytes packed = Codec(BK_FORWARD).run(sample(500));
    for (size_t size = 0; size < packed.size(); ++size)
        for (const Pieces& pieces : kCuts) {
            Bytes output;
            const bk::Error error = failure_of(bk::head(packed, size), output, pieces);
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << size;
            EXPECT_THAT(error.message(), HasSubstr("truncated")) << size;
        }
}

TEST(GzipDamage, TruncationInALaterMemberIsCorrupt) {
    Codec forward(BK_FORWARD);
    Bytes packed = forward.run(sample(500));
    const size_t first = packed.size();
    forward.run(sample(300), packed);
    EXPECT_EQ(status_of(bk::head(packed, first)), BK_OK) << "a member's end is an end";
    for (size_t size = first + 1; size < packed.size(); ++size)
        EXPECT_EQ(status_of(bk::head(packed, size)), BK_E_CORRUPT) << size;
}

TEST(GzipDamage, AFlippedBitNeverGivesWrongContent) {
    const Bytes plain = sample(500);
    const Bytes packed = Codec(BK_FORWARD).run(plain);
    for (const Pieces& pieces : kCuts) {
        size_t refused = 0;
        for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
            Bytes output;
            const bk::Error error = failure_of(bk::flipped(packed, bit), output, pieces);
            if (error.status() == BK_OK) {
                EXPECT_TRUE(output == plain) << "bit " << bit;
                continue;
            }
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << bit;
            ++refused;
        }
        // Without meaning: time, level and system in the header, the flag of a text, and what pads
        // the last byte of the data.
        EXPECT_GE(refused, packed.size() * 8 - 6 * 8 - 1 - 7);
    }
}

TEST(GzipDamage, ChecksumAndSizeAreChecked) {
    const Bytes packed = Codec(BK_FORWARD).run(sample(500));
    for (size_t bit = (packed.size() - 8) * 8; bit < packed.size() * 8; ++bit)
        for (const Pieces& pieces : kCuts)
            EXPECT_EQ(status_of(bk::flipped(packed, bit), pieces), BK_E_CORRUPT) << bit;
}

TEST(GzipDamage, WhatIsNoGzipIsCorrupt) {
    const Bytes garbage = {'B', 'E', 'G', 'I', 'N', ';', '\n', 0, 1, 2, 3, 4, 5, 6, 7, 8};
    const Bytes zlib = {0x78, 0x9C, 0x4B, 0x04, 0x00, 0x00, 0x62, 0x00, 0x62};
    for (const Bytes& bytes : {garbage, zlib})
        EXPECT_EQ(status_of(bytes), BK_E_CORRUPT);
    for (const Bytes& tail : {garbage, zlib, Bytes(512, 0), Bytes{0}}) {
        Bytes packed = Codec(BK_FORWARD).run(sample(100));
        packed.insert(packed.end(), tail.begin(), tail.end());
        for (const Pieces& pieces : kCuts)
            EXPECT_EQ(status_of(packed, pieces), BK_E_CORRUPT) << "behind the last member";
    }
}

TEST(GzipDamage, AfterAnErrorTheInstanceRefusesAndANewOneWorks) {
    const Bytes plain = sample(500);
    const Bytes packed = Codec(BK_FORWARD).run(plain);
    Codec reverse(BK_REVERSE);
    EXPECT_THROW((void)reverse.run({'x', 'y', 'z', 'z', 'y'}), bk::Error);
    try {
        (void)reverse.run(packed);
        FAIL() << "a broken instance went on";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
    }
    EXPECT_TRUE(Codec(BK_REVERSE).run(packed) == plain);
}

TEST(GzipDamage, InputAddedToAnAnnouncedEndIsRefused) {
    const Bytes plain = sample(100000);
    for (const int32_t op : {BK_FINISH, BK_RUN}) {
        Codec forward(BK_FORWARD);
        Bytes room(200000);
        bk_in in{plain.data(), 50000, 0};
        bk_out out{room.data(), 100, 0};
        ASSERT_EQ(forward.process(in, out, BK_FINISH), BK_NEED_OUTPUT);
        out.cap = room.size();
        in.len = plain.size();
        try {
            forward.process(in, out, op);
            FAIL() << "taken";
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_INVALID);
        }
    }
}

} // namespace
} // namespace gzip_test
