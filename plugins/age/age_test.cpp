// The file as a whole: round trips, sizes, wrong keys, calls out of order, memory.
#include "age_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace age_test {
namespace {

using testing::HasSubstr;

constexpr size_t kChunk = 65536;

const Values kWriter = {{"recipients", {kRecipient1}}};

class RoundTrip : public testing::TestWithParam<size_t> {};

TEST_P(RoundTrip, GivesTheContentBackInPiecesOfAnySize) {
    const Keys keys;
    const Bytes plain = sample(GetParam());
    const Pieces cuts[] = {{},
                           {SIZE_MAX, size_t{2} << 20},
                           {kChunk, kChunk},
                           {kChunk + 16, kChunk + 16},
                           {1000, 70000, 1},
                           {200000, 300000, 2},
                           {kChunk * 3, 777, 3}};
    for (const Pieces& cut : cuts) {
        const Bytes stored = Codec(BK_FORWARD, kWriter).run(plain, cut);
        EXPECT_TRUE(Codec(BK_REVERSE, keys.reader()).run(stored, cut) == plain);
    }
}

TEST_P(RoundTrip, InOneByteBuffers) {
    const Keys keys;
    const Bytes plain = sample(std::min(GetParam(), kChunk + 1));
    const Bytes stored = Codec(BK_FORWARD, kWriter).run(plain, {1, 1});
    EXPECT_TRUE(Codec(BK_REVERSE, keys.reader()).run(stored, {1, 1}) == plain);
}

TEST_P(RoundTrip, HasTheSizeThatTheFormatGives) {
    Codec forward(BK_FORWARD, kWriter);
    const Bytes stored = forward.run(sample(GetParam()));
    const size_t chunks = std::max<size_t>((GetParam() + kChunk - 1) / kChunk, 1);
    const size_t header = 22 + 98 + 48 + 16; // first line, one X25519 stanza, MAC line, nonce
    EXPECT_EQ(stored.size(), header + GetParam() + chunks * 16);
    const auto& seek =
        *static_cast<const bk_encryptor_seek*>(driver().get_extension(BK_ENCRYPTOR_SEEK_ID));
    EXPECT_EQ(seek.header_size(forward.self()), header);
}

INSTANTIATE_TEST_SUITE_P(Sizes, RoundTrip,
                         testing::Values(0, 1, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk,
                                         (1 << 20) + 1));

TEST(Age, EachOfSeveralRecipientsOpens) {
    const Keys keys;
    const Bytes plain = sample(1000);
    Codec forward(BK_FORWARD, {{"recipients", {kRecipient1, kRecipient2}}});
    const Bytes stored = forward.run(plain);
    EXPECT_EQ(Codec(BK_REVERSE, keys.reader(1)).run(stored), plain);
    EXPECT_EQ(Codec(BK_REVERSE, keys.reader(2)).run(stored), plain);
}

TEST(Age, OneOfSeveralIdentitiesIsEnough) {
    const Keys keys;
    const Bytes plain = sample(1000);
    Codec forward(BK_FORWARD, {{"recipients", {kRecipient2}}});
    Codec reverse(BK_REVERSE, {{"identity-files", {keys.file(1), keys.file(2)}}});
    EXPECT_EQ(reverse.run(forward.run(plain)), plain);
}

TEST(Age, NoTwoFilesAreTheSame) {
    const Keys keys;
    EXPECT_NE(keys.encrypt(sample(10)), keys.encrypt(sample(10)));
}

TEST(Age, APassphraseOpensWhatItClosed) {
    const Values values = {{"passphrase", {"correct horse"}}, {"work-factor", {"4"}}};
    const Bytes plain = sample(1000);
    const Bytes stored = Codec(BK_FORWARD, values).run(plain);
    EXPECT_EQ(Codec(BK_REVERSE, {{"passphrase", {"correct horse"}}}).run(stored), plain);
    const bk::Error error = failure_of(stored, {{"passphrase", {"wrong pony"}}});
    EXPECT_EQ(error.status(), BK_E_DENIED);
    EXPECT_THAT(error.message(), HasSubstr("wrong key"));
    EXPECT_THAT(error.message() + error.hint(), testing::Not(HasSubstr("pony")));
}

TEST(Age, TheWrongKindOfKeyIsDenied) {
    const Keys keys;
    const Values passphrase = {{"passphrase", {"x"}}, {"work-factor", {"1"}}};
    const bk::Error key = failure_of(Codec(BK_FORWARD, passphrase).run({}), keys.reader());
    EXPECT_EQ(key.status(), BK_E_DENIED);
    EXPECT_THAT(key.hint(), HasSubstr("passphrase"));
    const bk::Error text = failure_of(keys.encrypt({}), passphrase);
    EXPECT_EQ(text.status(), BK_E_DENIED);
    EXPECT_THAT(text.hint(), HasSubstr("identity-files"));
}

TEST(Age, AWrongKeyIsDenied) {
    const Keys keys;
    const bk::Error error = failure_of(keys.encrypt(sample(100)), keys.reader(2));
    EXPECT_EQ(error.status(), BK_E_DENIED);
    EXPECT_THAT(error.message(), HasSubstr("wrong key: "));
    EXPECT_NE(error.hint(), "");
}

TEST(Age, AHugeWorkFactorIsNotEvenTried) {
    const std::string stanza =
        "-> scrypt AAAAAAAAAAAAAAAAAAAAAA 23\n" + std::string(43, 'A') + "\n";
    const std::string text = "age-encryption.org/v1\n" + stanza + "--- " + std::string(43, 'A') +
                             "\n" + std::string(16, 'n');
    const bk::Error error = failure_of(Bytes(text.begin(), text.end()), {{"passphrase", {"x"}}});
    EXPECT_EQ(error.status(), BK_E_UNSUPPORTED);
}

TEST(Age, AScryptStanzaMustBeAlone) {
    const std::string stanza = "-> scrypt AAAAAAAAAAAAAAAAAAAAAA 1\n" + std::string(43, 'A') + "\n";
    const std::string text = "age-encryption.org/v1\n" + stanza + "-> x\n\n--- " +
                             std::string(43, 'A') + "\n" + std::string(16, 'n');
    const bk::Error error = failure_of(Bytes(text.begin(), text.end()), {{"passphrase", {"x"}}});
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
}

TEST(Age, CallsAfterTheEndAreRefused) {
    const Keys keys;
    Codec forward(BK_FORWARD, kWriter);
    const Bytes stored = forward.run(sample(10));
    EXPECT_THROW((void)forward.run(sample(10)), bk::Error);
    Codec reverse(BK_REVERSE, keys.reader());
    (void)reverse.run(stored);
    try {
        (void)reverse.run(stored);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
    }
}

TEST(Age, FlushIsRefusedForwardAndHarmlessBack) {
    const Keys keys;
    const Bytes plain = sample(kChunk + 10);
    Bytes room(2 * kChunk);
    bk_in in{plain.data(), plain.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    Codec forward(BK_FORWARD, kWriter);
    try {
        forward.process(in, out, BK_FLUSH);
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_UNSUPPORTED);
    }
    const Bytes stored = keys.encrypt(plain);
    bk_in from{stored.data(), stored.size(), 0};
    Codec reverse(BK_REVERSE, keys.reader());
    EXPECT_EQ(reverse.process(from, out, BK_FLUSH), BK_OK);
    EXPECT_EQ(out.pos, kChunk) << "the chunk that is whole";
}

TEST(Age, InputAfterAnAnnouncedEndIsRefused) {
    const Bytes plain = sample(10);
    Codec forward(BK_FORWARD, kWriter);
    Bytes room(1000);
    bk_in in{plain.data(), plain.size(), 0};
    bk_out out{room.data(), 200, 0};
    ASSERT_EQ(forward.process(in, out, BK_FINISH), BK_NEED_OUTPUT);
    out.cap = room.size();
    bk_in more{plain.data(), plain.size(), 0};
    EXPECT_THROW(forward.process(more, out, BK_FINISH), bk::Error);
}

TEST(Age, TellsWhatItsFilesAre) {
    const auto& file =
        *static_cast<const bk_transform_file*>(driver().get_extension(BK_TRANSFORM_FILE_ID));
    EXPECT_STREQ(file.suffix, "age");
    EXPECT_STREQ(file.decode_command, "age -d -i KEY_FILE");
    const Bytes stored = Keys().encrypt({});
    EXPECT_TRUE(std::equal(file.magic, file.magic + file.magic_len, stored.begin()));
    EXPECT_EQ(driver().get_extension("bkhost.unknown/0"), nullptr);
}

uint64_t promised(int32_t direction, const Values& values) {
    return bk::promised_memory(driver(), direction, values, size_t{4} << 20);
}

TEST(Age, CostsNoMoreMemoryThanPromised) {
    if (!bk::allocator_counts()) GTEST_SKIP() << "this allocator does not count";
    const Bytes probe(1 << 20);
    const Keys keys;
    (void)keys.encrypt({}); // libcrypto's own tables, which are there once
    Bytes room(100);
    uint64_t before = bk::allocated();
    Codec forward(BK_FORWARD, kWriter);
    bk_in in{probe.data(), 100000, 0};
    bk_out out{room.data(), room.size(), 0};
    ASSERT_EQ(forward.process(in, out, BK_RUN), BK_NEED_OUTPUT);
    EXPECT_LE(bk::allocated() - before, promised(BK_FORWARD, kWriter));

    const Bytes stored = keys.encrypt(probe);
    before = bk::allocated();
    Codec reverse(BK_REVERSE, keys.reader());
    bk_in from{stored.data(), 100000, 0};
    out.pos = 0;
    ASSERT_EQ(reverse.process(from, out, BK_RUN), BK_NEED_OUTPUT);
    EXPECT_LE(bk::allocated() - before, promised(BK_REVERSE, keys.reader()));

    EXPECT_GE(promised(BK_FORWARD, {{"passphrase", {"x"}}}), uint64_t{256} << 20);
    EXPECT_LT(promised(BK_FORWARD, kWriter), uint64_t{1} << 20);
}

} // namespace
} // namespace age_test
