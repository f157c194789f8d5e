// The file as a whole: round trips, sizes, keys, calls out of order, memory.
#include "aes256gcm_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aes256gcm_test {
namespace {

using testing::HasSubstr;

class RoundTrip : public testing::TestWithParam<size_t> {};

TEST_P(RoundTrip, GivesTheContentBackInPiecesOfAnySize) {
    const Bytes plain = sample(GetParam());
    const Pieces cuts[] = {{},
                           {SIZE_MAX, size_t{2} << 20},
                           {kChunk, kChunk},
                           {kStored, kStored},
                           {1000, 70000, 1},
                           {200000, 300000, 2},
                           {kChunk * 3, 777, 3}};
    for (const Pieces& cut : cuts) {
        const Bytes stored = Codec(BK_FORWARD, kHolder1).run(plain, cut);
        EXPECT_TRUE(Codec(BK_REVERSE, kHolder1).run(stored, cut) == plain);
    }
}

TEST_P(RoundTrip, InOneByteBuffers) {
    const Bytes plain = sample(std::min(GetParam(), kChunk + 1));
    const Bytes stored = Codec(BK_FORWARD, kHolder1).run(plain, {1, 1});
    EXPECT_TRUE(Codec(BK_REVERSE, kHolder1).run(stored, {1, 1}) == plain);
}

TEST_P(RoundTrip, HasTheSizeThatTheFormatGives) {
    const size_t chunks = std::max<size_t>((GetParam() + kChunk - 1) / kChunk, 1);
    EXPECT_EQ(encrypt(sample(GetParam())).size(), kHeader + GetParam() + chunks * 16);
}

INSTANTIATE_TEST_SUITE_P(Sizes, RoundTrip,
                         testing::Values(0, 1, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk,
                                         (1 << 20) + 1));

TEST(Aes256Gcm, NoTwoFilesShareADataKeyOrAHeader) {
    const Bytes plain = sample(1000);
    const Bytes one = encrypt(plain), other = encrypt(plain);
    EXPECT_TRUE(std::equal(one.begin(), one.begin() + 32, other.begin())) << "magic to key id";
    for (const auto& [from, to] : {std::pair{32, 64}, std::pair{64, 80}, std::pair{96, 112}})
        EXPECT_FALSE(std::equal(one.begin() + from, one.begin() + to, other.begin() + from));
    Bytes mixed = bk::head(one, kHeader);
    mixed.insert(mixed.end(), other.begin() + kHeader, other.end());
    EXPECT_EQ(failure_of(mixed).status(), BK_E_CORRUPT) << "another header opens no chunk";
}

TEST(Aes256Gcm, ThePlainTextDoesNotShow) {
    const std::string text = "a secret that must not stand in the file";
    const Bytes stored = encrypt(Bytes(text.begin(), text.end()));
    const std::string shown(stored.begin(), stored.end());
    EXPECT_EQ(shown.find("secret"), std::string::npos);
}

TEST(Aes256Gcm, AWrongKeyIsDenied) {
    Bytes output;
    const bk::Error error =
        bk::failure_of(Codec(BK_REVERSE, kHolder2), encrypt(sample(100)), output);
    EXPECT_EQ(error.status(), BK_E_DENIED);
    EXPECT_THAT(error.message(), HasSubstr("wrong key: "));
    EXPECT_NE(error.hint(), "");
    EXPECT_TRUE(output.empty());
}

TEST(Aes256Gcm, OneOfSeveralKeysIsEnoughToRead) {
    const Bytes plain = sample(1000);
    for (const Values& keys : {Values{{"key", {kKey1, kKey2}}}, Values{{"key", {kKey2, kKey1}}}})
        EXPECT_EQ(Codec(BK_REVERSE, keys).run(encrypt(plain)), plain);
}

TEST(Aes256Gcm, CallsAfterTheEndAreRefused) {
    Codec forward(BK_FORWARD, kHolder1);
    const Bytes stored = forward.run(sample(10));
    EXPECT_THROW((void)forward.run(sample(10)), bk::Error);
    Codec reverse(BK_REVERSE, kHolder1);
    (void)reverse.run(stored);
    try {
        (void)reverse.run(stored);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
    }
}

TEST(Aes256Gcm, FlushIsRefusedForwardAndHarmlessBack) {
    const Bytes plain = sample(kChunk + 10);
    Bytes room(2 * kChunk);
    bk_in in{plain.data(), plain.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    Codec forward(BK_FORWARD, kHolder1);
    try {
        forward.process(in, out, BK_FLUSH);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_UNSUPPORTED);
    }
    const Bytes stored = encrypt(plain);
    bk_in from{stored.data(), stored.size(), 0};
    Codec reverse(BK_REVERSE, kHolder1);
    EXPECT_EQ(reverse.process(from, out, BK_FLUSH), BK_OK);
    EXPECT_EQ(out.pos, kChunk) << "the chunk that is whole";
}

TEST(Aes256Gcm, TellsWhatItsFilesAre) {
    const auto& file =
        *static_cast<const bk_transform_file*>(driver().get_extension(BK_TRANSFORM_FILE_ID));
    EXPECT_STREQ(file.suffix, "aes");
    EXPECT_STREQ(file.decode_command, "aes256gcm_decrypt.py KEY_FILE");
    const Bytes stored = encrypt({});
    EXPECT_TRUE(std::equal(file.magic, file.magic + file.magic_len, stored.begin()));
    EXPECT_EQ(driver().get_extension("bkhost.unknown/0"), nullptr);
}

TEST(Aes256Gcm, CostsNoMoreMemoryThanPromised) {
    if (!bk::allocator_counts()) GTEST_SKIP() << "this allocator does not count";
    (void)encrypt({}); // libcrypto's own tables, which are there once
    const Bytes probe(1 << 20);
    Bytes room(100);
    const uint64_t promised = bk::promised_memory(driver(), BK_FORWARD, kHolder1, 4 << 20);
    EXPECT_LT(promised, uint64_t{1} << 20);
    uint64_t before = bk::allocated();
    Codec forward(BK_FORWARD, kHolder1);
    bk_in in{probe.data(), 100000, 0};
    bk_out out{room.data(), room.size(), 0};
    ASSERT_EQ(forward.process(in, out, BK_RUN), BK_NEED_OUTPUT);
    EXPECT_LE(bk::allocated() - before, promised);

    const Bytes stored = encrypt(probe);
    before = bk::allocated();
    Codec reverse(BK_REVERSE, kHolder1);
    bk_in from{stored.data(), 100000, 0};
    out.pos = 0;
    ASSERT_EQ(reverse.process(from, out, BK_RUN), BK_NEED_OUTPUT);
    EXPECT_LE(bk::allocated() - before,
              bk::promised_memory(driver(), BK_REVERSE, kHolder1, 4 << 20));
}

} // namespace
} // namespace aes256gcm_test
