// Damaged, truncated and foreign input: an error every time, and never wrong content as a success.
#include "zstd_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace zstd_test {
namespace {

using testing::HasSubstr;

bk::Error failure_of(const Bytes& packed, const Pieces& pieces = {}) {
    Bytes output;
    return bk::failure_of(Codec(BK_REVERSE), packed, output, pieces);
}

TEST(ZstdDamage, TruncationAtEveryByteIsCorrupt) {
    const Bytes packed = Codec(BK_FORWARD).run(sample(500));
    for (size_t size = 0; size < packed.size(); ++size) {
        const Bytes cut = bk::head(packed, size);
        for (const Pieces& pieces : {Pieces{}, Pieces{1, 1}, Pieces{3, 1000}}) {
            const bk::Error error = failure_of(cut, pieces);
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << size;
            EXPECT_THAT(error.message(), HasSubstr("truncated")) << size;
        }
    }
}

TEST(ZstdDamage, TruncationInALaterFrameIsCorrupt) {
    Codec forward(BK_FORWARD);
    Bytes packed = forward.run(sample(500));
    const size_t first = packed.size();
    forward.run(sample(300), packed);
    for (size_t size = first + 1; size < packed.size(); ++size) {
        const Bytes cut = bk::head(packed, size);
        EXPECT_EQ(failure_of(cut).status(), BK_E_CORRUPT) << size;
    }
}

TEST(ZstdDamage, AFlippedBitNeverGivesWrongContent) {
    const Bytes plain = sample(500);
    const Bytes packed = Codec(BK_FORWARD).run(plain);
    size_t refused = 0;
    for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
        Bytes output;
        const bk::Error error = bk::failure_of(Codec(BK_REVERSE), bk::flipped(packed, bit), output);
        if (error.status() == BK_OK) {
            EXPECT_TRUE(output == plain) << "bit " << bit;
            continue;
        }
        EXPECT_THAT(error.status(), testing::AnyOf(BK_E_CORRUPT, BK_E_UNSUPPORTED)) << bit;
        ++refused;
    }
    EXPECT_GE(refused, packed.size() * 8 - 8) << "few bits may be without meaning";
}

TEST(ZstdDamage, GarbageIsCorrupt) {
    const Bytes garbage = {'B', 'E', 'G', 'I', 'N', ';', '\n', 0, 1, 2, 3, 4, 5, 6, 7, 8};
    EXPECT_EQ(failure_of(garbage).status(), BK_E_CORRUPT);
    Bytes after = Codec(BK_FORWARD).run(sample(100));
    after.insert(after.end(), garbage.begin(), garbage.end());
    EXPECT_EQ(failure_of(after).status(), BK_E_CORRUPT);
}

TEST(ZstdDamage, AWindowAbove128MiBIsUnsupported) {
    // RFC 8878, 3.1.1.1.2: exponent 18 in the upper five bits is a window of 2^28 bytes.
    const Bytes wide = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 18 << 3, 0x01, 0x00, 0x00};
    const bk::Error error = failure_of(wide);
    EXPECT_EQ(error.status(), BK_E_UNSUPPORTED);
    EXPECT_THAT(error.hint(), HasSubstr("--long=31"));
    const Bytes widest = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 17 << 3, 0x01, 0x00, 0x00};
    EXPECT_EQ(failure_of(widest).status(), BK_OK) << "an empty frame with a window of 128 MiB";
}

TEST(ZstdDamage, AFrameThatNeedsADictionaryIsUnsupported) {
    const Bytes frame = {0x28, 0xB5, 0x2F, 0xFD, 0x21, 0x07, 0x00, 0x01, 0x00, 0x00};
    EXPECT_EQ(failure_of(frame).status(), BK_E_UNSUPPORTED);
}

TEST(ZstdDamage, AfterAnErrorTheInstanceRefusesAndANewOneWorks) {
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

TEST(ZstdDamage, InputAddedToAnAnnouncedEndIsRefused) {
    // The content size stands in the header already: a longer frame would be a wrong one.
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
} // namespace zstd_test
