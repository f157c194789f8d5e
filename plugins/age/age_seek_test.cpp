// Entry at any offset of the plain text.
#include "age_fixture.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace age_test {
namespace {

constexpr size_t kChunk = 65536;
constexpr size_t kStored = kChunk + 16;

const bk_encryptor_seek& seeking() {
    return *static_cast<const bk_encryptor_seek*>(driver().get_extension(BK_ENCRYPTOR_SEEK_ID));
}

// A reader that has taken the header, as a host does before it reads a range.
class AgeSeek : public testing::Test {
protected:
    AgeSeek()
        : plain_(sample(5 * kChunk + 1234)), stored_(keys_.encrypt(plain_)),
          reverse_(BK_REVERSE, keys_.reader()) {}

    void take_header() {
        bk_in in{stored_.data(), 300, 0};
        Bytes room(kChunk);
        bk_out out{room.data(), room.size(), 0};
        ASSERT_EQ(reverse_.process(in, out, BK_RUN), BK_OK);
        ASSERT_GT(seeking().header_size(reverse_.self()), 0U);
    }

    bk_status seek(uint64_t offset, uint64_t& stored_offset, uint64_t& skip) {
        bk_error error = bk::empty_error();
        return seeking().seek(reverse_.self(), offset, &stored_offset, &skip, &error);
    }

    // The slice, read as a host reads it: seek, only the bytes up to stored_end, in pieces.
    Bytes slice(uint64_t offset, uint64_t size, size_t piece, size_t room_size) {
        uint64_t from = 0, skip = 0;
        EXPECT_EQ(seek(offset, from, skip), BK_OK);
        const uint64_t end = std::min<uint64_t>(
            seeking().stored_end(reverse_.self(), offset + size), stored_.size());
        const int32_t last = end == stored_.size() ? BK_FINISH : BK_RUN;
        Bytes got, room(room_size);
        for (bool done = false; !done;) {
            const size_t take = std::min<size_t>(piece, end - from);
            done = from + take == end;
            bk_in in{stored_.data() + from, take, 0};
            bk_status status = BK_NEED_OUTPUT;
            while (status == BK_NEED_OUTPUT) {
                bk_out out{room.data(), room.size(), 0};
                status = reverse_.process(in, out, done ? last : BK_RUN);
                got.insert(got.end(), room.begin(), room.begin() + static_cast<ptrdiff_t>(out.pos));
            }
            from += take;
        }
        EXPECT_GE(got.size(), skip + size);
        return Bytes(got.begin() + static_cast<ptrdiff_t>(skip),
                     got.begin() + static_cast<ptrdiff_t>(skip + size));
    }

    Keys keys_;
    Bytes plain_, stored_;
    Codec reverse_;
};

TEST_F(AgeSeek, AnySliceIsThatOfThePlainText) {
    take_header();
    std::mt19937_64 random(7);
    std::vector<uint64_t> offsets = {
        0, 1, kChunk - 1, kChunk, kChunk + 1, 5 * kChunk, plain_.size() - 1, 0, 3 * kChunk};
    for (int i = 0; i < 60; ++i)
        offsets.push_back(random() % plain_.size());
    for (const uint64_t offset : offsets) {
        const uint64_t size = 1 + random() % (plain_.size() - offset);
        const Bytes expected(plain_.begin() + static_cast<ptrdiff_t>(offset),
                             plain_.begin() + static_cast<ptrdiff_t>(offset + size));
        const size_t piece = 1000 + random() % 200000, room = 100 + random() % 200000;
        EXPECT_TRUE(slice(offset, size, piece, room) == expected) << offset << "+" << size;
    }
}

TEST_F(AgeSeek, ANewPlaceDiscardsWhatWasBuffered) {
    take_header();
    uint64_t from = 0, skip = 0;
    ASSERT_EQ(seek(kChunk, from, skip), BK_OK);
    bk_in in{stored_.data() + from, kStored, 0};
    Bytes room(10);
    bk_out out{room.data(), room.size(), 0};
    ASSERT_EQ(reverse_.process(in, out, BK_RUN), BK_NEED_OUTPUT) << "a chunk waits inside";
    EXPECT_TRUE(slice(2 * kChunk, 100, 500, 1000) ==
                Bytes(plain_.begin() + 2 * kChunk, plain_.begin() + 2 * kChunk + 100));
}

TEST_F(AgeSeek, DamageElsewhereDoesNotMatterAndAfterDamageOneMayMoveOn) {
    stored_[200 + kStored * 2] ^= 1;
    take_header();
    EXPECT_THROW((void)slice(2 * kChunk, 10, SIZE_MAX, kChunk), bk::Error);
    EXPECT_TRUE(slice(4 * kChunk, 10, SIZE_MAX, kChunk) ==
                Bytes(plain_.begin() + 4 * kChunk, plain_.begin() + 4 * kChunk + 10));
}

TEST_F(AgeSeek, AChunkFromAnotherPlaceIsCorrupt) {
    take_header();
    uint64_t from = 0, skip = 0;
    ASSERT_EQ(seek(kChunk, from, skip), BK_OK);
    bk_in in{stored_.data() + from + kStored, kStored, 0};
    Bytes room(kChunk);
    bk_out out{room.data(), room.size(), 0};
    EXPECT_THROW(reverse_.process(in, out, BK_RUN), bk::Error);
}

TEST_F(AgeSeek, BeforeTheHeaderItIsInvalid) {
    uint64_t from = 0, skip = 0;
    EXPECT_EQ(seeking().header_size(reverse_.self()), 0U);
    EXPECT_EQ(seek(0, from, skip), BK_E_INVALID);
    Codec forward(BK_FORWARD, {{"recipients", {kRecipient1}}});
    EXPECT_EQ(seeking().header_size(forward.self()), 0U);
    bk_error error = bk::empty_error();
    EXPECT_EQ(seeking().seek(forward.self(), 0, &from, &skip, &error), BK_E_INVALID);
}

TEST_F(AgeSeek, OffsetsFollowFromTheFormat) {
    take_header();
    const uint64_t header = seeking().header_size(reverse_.self());
    EXPECT_EQ(stored_.size(), header + plain_.size() + 6 * 16);
    uint64_t from = 0, skip = 0;
    ASSERT_EQ(seek(3 * kChunk + 5, from, skip), BK_OK);
    EXPECT_EQ(from, header + 3 * kStored);
    EXPECT_EQ(skip, 5U);
    const auto end = [&](uint64_t plain) { return seeking().stored_end(reverse_.self(), plain); };
    EXPECT_EQ(end(0), header + kStored);
    EXPECT_EQ(end(1), header + kStored);
    EXPECT_EQ(end(kChunk), header + kStored);
    EXPECT_EQ(end(kChunk + 1), header + 2 * kStored);
    EXPECT_EQ(end(UINT64_MAX), UINT64_MAX);
}

} // namespace
} // namespace age_test
