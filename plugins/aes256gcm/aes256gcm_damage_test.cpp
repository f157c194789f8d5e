// Damage of every kind: an error each time, of the right kind, and no byte of a bad chunk.
#include "aes256gcm_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace aes256gcm_test {
namespace {

using bk::flipped;
using bk::head;
using testing::HasSubstr;

TEST(Aes256GcmDamage, EveryFlippedBitOfASmallFileIsCorruptWithoutOutput) {
    const Bytes stored = encrypt(sample(40));
    for (size_t bit = 0; bit < stored.size() * 8; ++bit) {
        Bytes output;
        const bk::Error error = failure_of(flipped(stored, bit), output);
        ASSERT_EQ(error.status(), BK_E_CORRUPT) << bit << ": never a wrong key";
        ASSERT_TRUE(output.empty()) << bit;
        const char* where = bit / 8 < 16 ? "magic" : bit / 8 < kHeader ? "header" : "chunk 0";
        ASSERT_THAT(error.message(), HasSubstr(where)) << bit;
    }
}

TEST(Aes256GcmDamage, ASmallFileCutAtEveryByteIsCorrupt) {
    for (const size_t size : {0, 40}) {
        const Bytes stored = encrypt(sample(size));
        for (size_t cut = 0; cut < stored.size(); ++cut)
            for (const Pieces& pieces : {Pieces{}, Pieces{1, 1}}) {
                Bytes output;
                const bk::Error error = failure_of(head(stored, cut), output, pieces);
                ASSERT_EQ(error.status(), BK_E_CORRUPT) << cut;
                ASSERT_THAT(error.message(), HasSubstr("truncated")) << cut;
                ASSERT_TRUE(output.empty()) << cut;
            }
    }
}

TEST(Aes256GcmDamage, ALargeFileCutAnywhereIsCorrupt) {
    const Bytes plain = sample(2 * kChunk + 100);
    const Bytes stored = encrypt(plain);
    std::set<size_t> cuts;
    for (size_t cut = 0; cut < stored.size(); cut += 4099)
        cuts.insert(cut);
    for (const size_t edge : {kHeader, kHeader + kStored, kHeader + 2 * kStored, stored.size()})
        for (size_t cut = edge - 20; cut <= edge + 20 && cut < stored.size(); ++cut)
            cuts.insert(cut);
    for (const size_t cut : cuts) {
        Bytes output;
        const bk::Error error = failure_of(head(stored, cut), output, {50000, 70000});
        ASSERT_EQ(error.status(), BK_E_CORRUPT) << cut;
        EXPECT_EQ(output.size() % kChunk, 0U) << cut;
        EXPECT_TRUE(output == head(plain, output.size())) << cut;
    }
}

TEST(Aes256GcmDamage, MissingWholeChunksAreCorrupt) {
    const Bytes stored = encrypt(sample(3 * kChunk));
    for (const size_t chunks : {0, 1, 2}) {
        const bk::Error error = failure_of(head(stored, kHeader + chunks * kStored));
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
        EXPECT_THAT(error.message(), HasSubstr("before chunk " + std::to_string(chunks)));
    }
    Bytes without_first = head(stored, kHeader);
    without_first.insert(without_first.end(), stored.begin() + kHeader + kStored, stored.end());
    EXPECT_EQ(failure_of(without_first).status(), BK_E_CORRUPT);
}

TEST(Aes256GcmDamage, AFlippedBitReleasesNothingOfItsChunk) {
    const Bytes plain = sample(2 * kChunk + 100);
    const Bytes stored = encrypt(plain);
    std::mt19937_64 random(1);
    for (int i = 0; i < 100; ++i) {
        const size_t bit = kHeader * 8 + random() % ((stored.size() - kHeader) * 8);
        const size_t chunk = (bit / 8 - kHeader) / kStored;
        Bytes output;
        const Pieces pieces{100000, 80000, static_cast<uint64_t>(i)};
        const bk::Error error = failure_of(flipped(stored, bit), output, pieces);
        ASSERT_EQ(error.status(), BK_E_CORRUPT) << bit;
        EXPECT_THAT(error.message(), HasSubstr("in chunk " + std::to_string(chunk)));
        EXPECT_TRUE(output == head(plain, chunk * kChunk)) << bit;
    }
}

TEST(Aes256GcmDamage, ABadChunkLeavesZerosInTheCallersBuffer) {
    const Bytes stored = flipped(encrypt(sample(kChunk + 1)), (kHeader + 70) * 8);
    Codec reverse(BK_REVERSE, kHolder1);
    Bytes room(2 * kChunk, 0);
    bk_in in{stored.data(), stored.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_THROW(reverse.process(in, out, BK_FINISH), bk::Error);
    EXPECT_EQ(out.pos, 0U);
    EXPECT_TRUE(room == Bytes(2 * kChunk, 0));
}

TEST(Aes256GcmDamage, ChunksInAnotherOrderAreCorrupt) {
    Bytes stored = encrypt(sample(3 * kChunk));
    const auto first = stored.begin() + kHeader;
    std::swap_ranges(first, first + kStored, first + kStored);
    EXPECT_EQ(failure_of(stored).status(), BK_E_CORRUPT);
}

TEST(Aes256GcmDamage, BytesAfterTheLastChunkAreCorrupt) {
    for (const size_t size : {size_t{0}, size_t{10}, kChunk, kChunk + 1})
        for (const size_t more : {size_t{1}, size_t{100}, kStored, 2 * kStored}) {
            Bytes stored = encrypt(sample(size));
            stored.insert(stored.end(), more, 0);
            for (const size_t piece : {size_t{1000}, SIZE_MAX}) {
                Bytes output;
                EXPECT_EQ(failure_of(stored, output, {piece}).status(), BK_E_CORRUPT);
                EXPECT_LE(output.size(), size);
            }
        }
}

TEST(Aes256GcmDamage, TwoFilesEndToEndAreCorrupt) {
    Bytes stored = encrypt(sample(kChunk));
    const Bytes other = encrypt(sample(10));
    stored.insert(stored.end(), other.begin(), other.end());
    EXPECT_EQ(failure_of(stored).status(), BK_E_CORRUPT);
}

TEST(Aes256GcmDamage, WhatIsNoSuchFileIsCorruptAtOnce) {
    Codec reverse(BK_REVERSE, kHolder1);
    const Bytes garbage = {'P', 'K', 3, 4};
    bk_in in{garbage.data(), garbage.size(), 0};
    bk_out out{nullptr, 0, 0};
    try {
        reverse.process(in, out, BK_RUN);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
        EXPECT_THAT(error.message(), HasSubstr("not an aes256gcm file"));
    }
}

} // namespace
} // namespace aes256gcm_test
