// Entry at any offset of the plain text.
#include "aes256gcm_fixture.hpp"

#include <gtest/gtest.h>

namespace aes256gcm_test {
namespace {

const bk_encryptor_seek& seeking() {
    return *static_cast<const bk_encryptor_seek*>(driver().get_extension(BK_ENCRYPTOR_SEEK_ID));
}

// A reader that has taken the header, as a host does before it reads a range.
class Seek : public testing::Test {
protected:
    Seek()
        : plain_(sample(3 * kChunk + 1234)), stored_(encrypt(plain_)),
          reverse_(BK_REVERSE, kHolder1) {}

    void take_header() {
        bk_in in{stored_.data(), kHeader, 0};
        bk_out out{nullptr, 0, 0};
        ASSERT_EQ(reverse_.process(in, out, BK_RUN), BK_OK);
        ASSERT_EQ(seeking().header_size(reverse_.self()), kHeader);
    }
    bk_status seek(uint64_t offset, uint64_t& from, uint64_t& skip) {
        bk_error error = bk::empty_error();
        return seeking().seek(reverse_.self(), offset, &from, &skip, &error);
    }
    // As a host reads a range: seek, and only the bytes up to stored_end.
    Bytes slice(uint64_t offset, uint64_t size) {
        uint64_t from = 0, skip = 0;
        EXPECT_EQ(seek(offset, from, skip), BK_OK);
        const uint64_t end = std::min<uint64_t>(
            seeking().stored_end(reverse_.self(), offset + size), stored_.size());
        Bytes room(plain_.size());
        bk_in in{stored_.data() + from, end - from, 0};
        bk_out out{room.data(), room.size(), 0};
        const bool tail = end == stored_.size();
        EXPECT_EQ(reverse_.process(in, out, tail ? BK_FINISH : BK_RUN), tail ? BK_END : BK_OK);
        EXPECT_GE(out.pos, skip + size);
        const auto begin = room.begin() + static_cast<ptrdiff_t>(skip);
        return Bytes(begin, begin + static_cast<ptrdiff_t>(size));
    }
    Bytes expected(uint64_t offset, uint64_t size) const {
        const auto begin = plain_.begin() + static_cast<ptrdiff_t>(offset);
        return Bytes(begin, begin + static_cast<ptrdiff_t>(size));
    }

    Bytes plain_, stored_;
    Codec reverse_;
};

TEST_F(Seek, AnySliceIsThatOfThePlainText) {
    take_header();
    std::mt19937_64 random(7);
    std::vector<uint64_t> offsets = {0,          1,           kChunk - 1,        kChunk,
                                     kChunk + 1, 3 * kChunk,  plain_.size() - 1, 0,
                                     2 * kChunk, kChunk - 100};
    for (int i = 0; i < 60; ++i)
        offsets.push_back(random() % plain_.size());
    for (const uint64_t offset : offsets) {
        const uint64_t size = 1 + random() % (plain_.size() - offset);
        EXPECT_TRUE(slice(offset, size) == expected(offset, size)) << offset << "+" << size;
    }
}

TEST_F(Seek, DamageElsewhereDoesNotMatterAndAfterDamageOneMayMoveOn) {
    stored_[kHeader + kStored + 5] ^= 1;
    take_header();
    uint64_t from = 0, skip = 0;
    ASSERT_EQ(seek(kChunk, from, skip), BK_OK);
    Bytes room(kChunk);
    bk_in in{stored_.data() + from, kStored, 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_THROW(reverse_.process(in, out, BK_RUN), bk::Error);
    EXPECT_TRUE(slice(2 * kChunk, 10) == expected(2 * kChunk, 10));
}

TEST_F(Seek, AChunkFromAnotherPlaceIsCorrupt) {
    take_header();
    uint64_t from = 0, skip = 0;
    ASSERT_EQ(seek(kChunk, from, skip), BK_OK);
    Bytes room(kChunk);
    bk_in in{stored_.data() + from + kStored, kStored, 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_THROW(reverse_.process(in, out, BK_RUN), bk::Error);
}

TEST_F(Seek, BeforeTheHeaderItIsInvalid) {
    uint64_t from = 0, skip = 0;
    EXPECT_EQ(seeking().header_size(reverse_.self()), 0U);
    EXPECT_EQ(seek(0, from, skip), BK_E_INVALID);
}

TEST_F(Seek, OffsetsFollowFromTheFormat) {
    take_header();
    uint64_t from = 0, skip = 0;
    ASSERT_EQ(seek(2 * kChunk + 5, from, skip), BK_OK);
    EXPECT_EQ(from, kHeader + 2 * kStored);
    EXPECT_EQ(skip, 5U);
    const auto end = [&](uint64_t plain) { return seeking().stored_end(reverse_.self(), plain); };
    EXPECT_EQ(end(0), kHeader + kStored);
    EXPECT_EQ(end(kChunk), kHeader + kStored);
    EXPECT_EQ(end(kChunk + 1), kHeader + 2 * kStored);
    EXPECT_EQ(end(UINT64_MAX), UINT64_MAX);
}

} // namespace
} // namespace aes256gcm_test
