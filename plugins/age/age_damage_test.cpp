// Damage of every kind: an error each time, the right one where it can be told, and no byte of a
// bad chunk.
#include "age_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace age_test {
namespace {

using bk::flipped;
using bk::head;
using testing::AnyOf;
using testing::HasSubstr;

constexpr size_t kChunk = 65536;
constexpr size_t kStored = kChunk + 16;
constexpr size_t kHeader = 22 + 98 + 48 + 16; // with one X25519 recipient

TEST(AgeDamage, EveryFlippedBitOfTheHeaderIsAnErrorWithoutOutput) {
    const Keys keys;
    const Bytes stored = keys.encrypt(sample(100));
    size_t denied = 0;
    for (size_t bit = 0; bit < kHeader * 8; ++bit) {
        Bytes output;
        const bk::Error error = failure_of(flipped(stored, bit), keys.reader(), output);
        ASSERT_THAT(error.status(), AnyOf(BK_E_CORRUPT, BK_E_DENIED, BK_E_UNSUPPORTED)) << bit;
        ASSERT_TRUE(output.empty()) << bit;
        if (error.status() == BK_E_DENIED) ++denied;
        const bool after_stanza = bit / 8 >= 22 + 98; // the MAC line and the nonce
        EXPECT_TRUE(!after_stanza || error.status() == BK_E_CORRUPT) << bit;
    }
    EXPECT_GT(denied, 0U) << "a flip that leaves the stanza's shape looks like another key";
}

TEST(AgeDamage, EveryFlippedBitOfAPassphraseHeaderIsAnError) {
    const Values values = {{"passphrase", {"x"}}, {"work-factor", {"1"}}};
    const Bytes stored = Codec(BK_FORWARD, values).run(sample(10));
    for (size_t bit = 0; bit < (stored.size() - 26) * 8; ++bit) {
        Bytes output;
        ASSERT_NE(failure_of(flipped(stored, bit), values, output).status(), BK_OK) << bit;
        ASSERT_TRUE(output.empty()) << bit;
    }
}

TEST(AgeDamage, AChangedHeaderWhoseStanzaOpensIsDamagedAndNotAWrongKey) {
    const Keys keys;
    Codec forward(BK_FORWARD, {{"recipients", {kRecipient1, kRecipient2}}});
    const Bytes stored = forward.run(sample(10));
    // The other recipient's body: the first stanza still opens, the MAC tells.
    const bk::Error error = failure_of(flipped(stored, (22 + 98 + 60) * 8), keys.reader(1));
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
    EXPECT_THAT(error.message(), HasSubstr("the age header is damaged"));
}

TEST(AgeDamage, EveryTruncationIsCorrupt) {
    const Keys keys;
    const Bytes plain = sample(2 * kChunk + 100);
    const Bytes stored = keys.encrypt(plain);
    std::set<size_t> sizes;
    for (size_t size = 0; size < stored.size(); size += 4099)
        sizes.insert(size);
    for (size_t size = 0; size <= kHeader + 20; ++size)
        sizes.insert(size);
    for (const size_t edge : {kHeader + kStored, kHeader + 2 * kStored, stored.size()})
        for (size_t size = edge - 40; size <= edge + 40; ++size)
            if (size < stored.size()) sizes.insert(size);
    for (const size_t size : sizes) {
        Bytes output;
        const bk::Error error =
            failure_of(head(stored, size), keys.reader(), output, {50000, 70000});
        ASSERT_EQ(error.status(), BK_E_CORRUPT) << size;
        EXPECT_THAT(error.message(), HasSubstr("truncated")) << size;
        EXPECT_EQ(output.size() % kChunk, 0U) << size;
        EXPECT_TRUE(output == head(plain, output.size())) << size;
    }
}

TEST(AgeDamage, TruncationOfWholeChunksIsCorrupt) {
    const Keys keys;
    const Bytes stored = keys.encrypt(sample(3 * kChunk));
    for (const size_t chunks : {0, 1, 2}) {
        const bk::Error error = failure_of(head(stored, kHeader + chunks * kStored), keys.reader());
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
        EXPECT_THAT(error.message(), HasSubstr("before chunk " + std::to_string(chunks)));
    }
}

TEST(AgeDamage, AFlippedBitReleasesNothingOfItsChunk) {
    const Keys keys;
    const Bytes plain = sample(2 * kChunk + 100);
    const Bytes stored = keys.encrypt(plain);
    std::mt19937_64 random(1);
    for (int i = 0; i < 200; ++i) {
        const size_t bit = kHeader * 8 + random() % ((stored.size() - kHeader) * 8);
        const size_t chunk = (bit / 8 - kHeader) / kStored;
        Bytes output;
        const Pieces pieces{100000, 80000, static_cast<uint64_t>(i)};
        const bk::Error error = failure_of(flipped(stored, bit), keys.reader(), output, pieces);
        ASSERT_EQ(error.status(), BK_E_CORRUPT) << bit;
        EXPECT_THAT(error.message(), HasSubstr("in chunk " + std::to_string(chunk)));
        EXPECT_THAT(error.message(),
                    HasSubstr("at byte " + std::to_string(kHeader + chunk * kStored)));
        EXPECT_TRUE(output == head(plain, chunk * kChunk)) << bit;
    }
}

TEST(AgeDamage, ABadChunkLeavesZerosInTheCallersBuffer) {
    const Keys keys;
    const Bytes stored = flipped(keys.encrypt(sample(kChunk + 1)), (kHeader + 70) * 8);
    Codec reverse(BK_REVERSE, keys.reader());
    Bytes room(2 * kChunk, 0);
    bk_in in{stored.data(), stored.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_THROW(reverse.process(in, out, BK_FINISH), bk::Error);
    EXPECT_EQ(out.pos, 0U);
    EXPECT_TRUE(room == Bytes(2 * kChunk, 0));
    try {
        reverse.process(in, out, BK_RUN);
        FAIL() << "went on after damage";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
    }
}

TEST(AgeDamage, ChunksInAnotherOrderAreCorrupt) {
    const Keys keys;
    Bytes stored = keys.encrypt(sample(3 * kChunk));
    const auto first = stored.begin() + kHeader;
    std::swap_ranges(first, first + kStored, first + kStored);
    EXPECT_EQ(failure_of(stored, keys.reader()).status(), BK_E_CORRUPT);
}

TEST(AgeDamage, BytesAfterTheLastChunkAreCorrupt) {
    const Keys keys;
    for (const size_t size : {size_t{0}, size_t{10}, kChunk, kChunk + 1})
        for (const size_t more : {size_t{1}, size_t{100}, kStored, 2 * kStored}) {
            Bytes stored = keys.encrypt(sample(size));
            stored.insert(stored.end(), more, 0);
            for (const size_t piece : {size_t{1000}, SIZE_MAX}) {
                Bytes output;
                const bk::Error error = failure_of(stored, keys.reader(), output, {piece});
                EXPECT_EQ(error.status(), BK_E_CORRUPT) << size << " " << more;
                EXPECT_LE(output.size(), size);
            }
        }
}

TEST(AgeDamage, TwoFilesEndToEndAreCorrupt) {
    const Keys keys;
    Bytes stored = keys.encrypt(sample(kChunk));
    const Bytes other = keys.encrypt(sample(10));
    stored.insert(stored.end(), other.begin(), other.end());
    const bk::Error error = failure_of(stored, keys.reader());
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
    EXPECT_THAT(error.message(), HasSubstr("after its last chunk"));
}

TEST(AgeDamage, ArmorIsRefusedWithAHint) {
    const Keys keys;
    const std::string text = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3Yx\n";
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
        const bk::Error error = failure_of(Bytes(text.begin(), text.end()), keys.reader(), {piece});
        EXPECT_EQ(error.status(), BK_E_UNSUPPORTED);
        EXPECT_THAT(error.message(), HasSubstr("armored"));
        EXPECT_THAT(error.hint(), HasSubstr("age -d"));
    }
}

TEST(AgeDamage, WhatIsNotAnAgeFileIsCorruptAtOnce) {
    const Keys keys;
    Codec reverse(BK_REVERSE, keys.reader());
    const Bytes garbage = {'P', 'K', 3, 4};
    bk_in in{garbage.data(), garbage.size(), 0};
    bk_out out{nullptr, 0, 0};
    try {
        reverse.process(in, out, BK_RUN);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
    }
}

TEST(AgeDamage, AHeaderWithoutAnEndIsCorrupt) {
    const Keys keys;
    std::string text = "age-encryption.org/v1\n";
    while (text.size() < 80000)
        text += "-> x\n\n";
    const bk::Error error = failure_of(Bytes(text.begin(), text.end()), keys.reader(), {1000});
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
    EXPECT_THAT(error.message(), HasSubstr("longer than 64 KiB"));
}

} // namespace
} // namespace age_test
