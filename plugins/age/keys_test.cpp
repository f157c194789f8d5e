// Keys, key files and fingerprints through the driver's tables, and what create() refuses.
#include "age_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace age_test {
namespace {

using testing::HasSubstr;
using testing::Not;

const bk_encryptor_keys& keys() {
    return *static_cast<const bk_encryptor_keys*>(driver().get_extension(BK_ENCRYPTOR_KEYS_ID));
}

std::vector<std::string> fingerprints(Codec& codec) {
    bk::Texts texts;
    bk_error error = bk::empty_error();
    EXPECT_EQ(keys().fingerprints(codec.self(), bk::Texts::take, &texts, &error), BK_OK);
    return texts.all;
}

std::vector<std::string> public_keys(const std::string& text) {
    bk::Texts texts;
    bk_error error = bk::empty_error();
    const bk_status status =
        keys().public_keys(text.data(), text.size(), bk::Texts::take, &texts, &error);
    if (status != BK_OK) bk::throw_error(status, error);
    return texts.all;
}

bk::Error refused(int32_t direction, const Values& values) {
    try {
        Codec codec(direction, values);
    } catch (const bk::Error& error) {
        return error;
    }
    return {BK_OK, "accepted"};
}

std::string text_file(const TestDir& dir, const std::string& text, mode_t mode = 0600) {
    const std::filesystem::path path = dir / "file";
    bk::write_file(path, Bytes(text.begin(), text.end()));
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    return path;
}

TEST(AgeKeys, PublicKeysAreThoseOfTheTool) {
    const std::string text = std::string("# a comment\n\n") + kIdentity1 + "\r\n" + kIdentity2;
    EXPECT_EQ(public_keys(text), (std::vector<std::string>{kRecipient1, kRecipient2}));
}

TEST(AgeKeys, AGeneratedKeyIsAKeyFileAndWorks) {
    bk::Texts texts;
    bk_error error = bk::empty_error();
    ASSERT_EQ(keys().generate(bk::Texts::take, &texts, &error), BK_OK);
    const std::string text = texts.joined();
    EXPECT_THAT(text, testing::ContainsRegex("^# created: [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z\n"
                                             "# public key: age1[a-z0-9]{58}\n"
                                             "AGE-SECRET-KEY-1[A-Z0-9]{58}\n$"));
    const std::vector<std::string> recipients = public_keys(text);
    ASSERT_EQ(recipients.size(), 1U);
    EXPECT_THAT(text, HasSubstr("# public key: " + recipients[0] + "\n"));

    const TestDir dir;
    const Bytes plain = sample(100);
    Codec forward(BK_FORWARD, {{"recipients", recipients}});
    Codec reverse(BK_REVERSE, {{"identity-files", {text_file(dir, text)}}});
    EXPECT_EQ(reverse.run(forward.run(plain)), plain);
}

TEST(AgeKeys, FingerprintsAgreeInBothDirections) {
    const Keys pair;
    Codec forward(BK_FORWARD, {{"recipients", {kRecipient1, kRecipient2}}});
    Codec reverse(BK_REVERSE, {{"identity-files", {pair.file(1), pair.file(2)}}});
    const std::vector<std::string> all = fingerprints(forward);
    EXPECT_EQ(all, fingerprints(reverse));
    // printf '%s' age1xmr5... | sha256sum
    EXPECT_EQ(all.at(0), "age-x25519:b444e88ff31c1c68");
    EXPECT_NE(all.at(0), all.at(1));
    Codec passphrase(BK_FORWARD, {{"passphrase", {"x"}}, {"work-factor", {"1"}}});
    EXPECT_EQ(fingerprints(passphrase), std::vector<std::string>{"age-scrypt"});
}

TEST(AgeKeys, RecipientsComeFromFilesToo) {
    const TestDir dir;
    const std::string path =
        text_file(dir, std::string("# backup keys\n") + kRecipient1 + "\n\n" + kRecipient2, 0644);
    const Keys pair;
    Codec forward(BK_FORWARD, {{"recipients-files", {path}}});
    EXPECT_EQ(fingerprints(forward).size(), 2U);
    const Bytes plain = sample(10);
    const Bytes stored = forward.run(plain);
    EXPECT_EQ(Codec(BK_REVERSE, pair.reader(1)).run(stored), plain);
    EXPECT_EQ(Codec(BK_REVERSE, pair.reader(2)).run(stored), plain);
}

TEST(AgeKeys, ContradictionsAreConfigurationErrors) {
    const Keys pair;
    EXPECT_EQ(refused(BK_FORWARD, {}).status(), BK_E_CONFIG);
    EXPECT_EQ(refused(BK_FORWARD, pair.reader()).status(), BK_E_CONFIG)
        << "identities do not write";
    EXPECT_EQ(refused(BK_REVERSE, {}).status(), BK_E_CONFIG);
    EXPECT_EQ(refused(BK_REVERSE, {{"recipients", {kRecipient1}}}).status(), BK_E_CONFIG);
    EXPECT_EQ(refused(BK_FORWARD, {{"recipients", {kRecipient1}}, {"passphrase", {"x"}}}).status(),
              BK_E_CONFIG);
}

TEST(AgeKeys, WritingNeedsNoIdentityFile) {
    EXPECT_EQ(refused(BK_FORWARD,
                      {{"recipients", {kRecipient1}}, {"identity-files", {"/nonexistent/key.txt"}}})
                  .status(),
              BK_OK);
}

TEST(AgeKeys, ABadRecipientIsNamedAndASecretIsNot) {
    for (const char* bad : {"age1", "age1qqqq", "ssh-ed25519 AAAA", "age1yubikey1qwerty", "", "1",
                            "AGE1XMR5DRGN2DWSWTUMMGKN0Z8GG3KLRUV9D9QVK3CH2GAUT8UULPES8J84EJ"}) {
        const bk::Error error = refused(BK_FORWARD, {{"recipients", {bad}}});
        EXPECT_EQ(error.status(), BK_E_CONFIG) << bad;
        EXPECT_THAT(error.message(), HasSubstr("'" + std::string(bad) + "'"));
        EXPECT_NE(error.hint(), "");
    }
    const bk::Error error = refused(BK_FORWARD, {{"recipients", {kIdentity1}}});
    EXPECT_EQ(error.status(), BK_E_CONFIG);
    EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr("CRMYM0")));
}

TEST(AgeKeys, AKeyFileOpenToOthersIsRefused) {
    const TestDir dir;
    for (const mode_t mode : {0640, 0604, 0660, 0601}) {
        const std::string path = text_file(dir, kIdentity1, mode);
        const bk::Error error = refused(BK_REVERSE, {{"identity-files", {path}}});
        EXPECT_EQ(error.status(), BK_E_CONFIG) << std::oct << mode;
        EXPECT_EQ(error.hint(), "chmod 600 " + path);
    }
    const std::string path = text_file(dir, kIdentity1, 0400);
    EXPECT_EQ(refused(BK_REVERSE, {{"identity-files", {path}}}).status(), BK_OK);
}

TEST(AgeKeys, ABadKeyFileIsNamedWithItsLineAndNotShown) {
    const TestDir dir;
    std::string damaged = kIdentity1;
    damaged.back() = 'Q';
    for (const std::string& text :
         {damaged, std::string("age-encryption.org/v1\n"), std::string("AGE-PLUGIN-X-1QQ\n"),
          std::string(kRecipient1), std::string("AGE-SECRET-KEY-1")}) {
        const std::string path = text_file(dir, "# a comment\n" + text);
        const bk::Error error = refused(BK_REVERSE, {{"identity-files", {path}}});
        EXPECT_EQ(error.status(), BK_E_CONFIG) << text;
        EXPECT_THAT(error.message(), HasSubstr("line 2 of '" + path + "'"));
        EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr("CRMYM0")));
    }
    const Values none = {{"identity-files", {text_file(dir, "# nothing\n")}}};
    EXPECT_THAT(refused(BK_REVERSE, none).message(), HasSubstr("holds no identity"));
    const Values large = {{"identity-files", {text_file(dir, std::string(70000, '#'))}}};
    EXPECT_THAT(refused(BK_REVERSE, large).message(), HasSubstr("too long"));
}

TEST(AgeKeys, AMissingKeyFileIsNotFound) {
    const bk::Error error = refused(BK_REVERSE, {{"identity-files", {"/nonexistent/key.txt"}}});
    EXPECT_EQ(error.status(), BK_E_NOT_FOUND);
    EXPECT_THAT(error.message(), HasSubstr("'/nonexistent/key.txt'"));
    EXPECT_EQ(refused(BK_FORWARD, {{"recipients-files", {"/nonexistent/r"}}}).status(),
              BK_E_NOT_FOUND);
}

TEST(AgeKeys, ABadLineOfPublicKeysIsAConfigurationError) {
    EXPECT_THROW((void)public_keys("no key"), bk::Error);
    EXPECT_TRUE(public_keys("# none\n").empty());
}

} // namespace
} // namespace age_test
