// Keys, key files and fingerprints through the driver's tables, and what create() refuses.
#include "aes256gcm_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aes256gcm_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kFingerprint1 = "aes256gcm:68895d3769fa1e7c";
constexpr const char* kHex1 = "000102030405060708090a0B0C0D0e0f101112131415161718191a1b1c1d1e1f";

const bk_encryptor_keys& keys() {
    return *static_cast<const bk_encryptor_keys*>(driver().get_extension(BK_ENCRYPTOR_KEYS_ID));
}

std::vector<std::string> fingerprints(const Codec& codec) {
    bk::Texts texts;
    bk_error error = bk::empty_error();
    EXPECT_EQ(keys().fingerprints(codec.self(), bk::Texts::take, &texts, &error), BK_OK);
    return texts.all;
}

std::vector<std::string> shown(const std::string& text) {
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

std::string key_file(const TestDir& dir, const std::string& content, mode_t mode = 0600) {
    const std::filesystem::path path = dir / "key";
    bk::write_file(path, Bytes(content.begin(), content.end()));
    std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
    return path;
}

std::string raw_key() {
    std::string raw;
    for (char c = 0; c < 32; ++c)
        raw += c;
    return raw;
}

TEST(AesKeys, EveryFormOfAKeyIsTheSameKey) {
    const TestDir dir;
    const std::string base64 = kKey1;
    for (const std::string& content :
         {raw_key(), std::string(kHex1), base64, base64.substr(0, 43), base64 + "\n",
          "# comment\n\n  " + base64 + " \r\n", std::string(kHex1) + "\n# the end"}) {
        EXPECT_THAT(shown(content), ElementsAre(kFingerprint1)) << content;
        const Codec codec(BK_FORWARD, {{"key-file", {key_file(dir, content)}}});
        EXPECT_THAT(fingerprints(codec), ElementsAre(kFingerprint1)) << content;
    }
    for (const char* text : {kKey1, kHex1})
        EXPECT_THAT(fingerprints(Codec(BK_REVERSE, {{"key", {text}}})), ElementsAre(kFingerprint1));
}

TEST(AesKeys, AGeneratedKeyIsAKeyFileAndWorks) {
    bk::Texts texts, others;
    bk_error error = bk::empty_error();
    ASSERT_EQ(keys().generate(bk::Texts::take, &texts, &error), BK_OK);
    ASSERT_EQ(keys().generate(bk::Texts::take, &others, &error), BK_OK);
    const std::string text = texts.joined();
    EXPECT_THAT(text,
                testing::ContainsRegex("^# created: [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z\n"
                                       "# key of aes256gcm, fingerprint: aes256gcm:[0-9a-f]{16}\n"
                                       "[A-Za-z0-9+/]{43}=\n$"));
    EXPECT_NE(shown(text), shown(others.joined()));
    EXPECT_THAT(text, HasSubstr(shown(text).front()));
    const TestDir dir;
    const Values holder = {{"key-file", {key_file(dir, text)}}};
    const Bytes plain = sample(1000);
    EXPECT_EQ(Codec(BK_REVERSE, holder).run(Codec(BK_FORWARD, holder).run(plain)), plain);
}

TEST(AesKeys, WhatIsNoKeyIsRefusedAndNotShown) {
    const TestDir dir;
    std::string foreign = kKey1, bits = kKey1;
    foreign[5] = '*';
    bits[42] = '9'; // two bits that no byte takes
    for (const std::string& content :
         {std::string(), std::string("# nothing\n"), raw_key() + "\n", raw_key().substr(1),
          std::string(kHex1).substr(2), std::string(kHex1) + "00", foreign, bits,
          std::string(kKey1) + "=", std::string(70000, '#')}) {
        const bk::Error error = refused(BK_FORWARD, {{"key-file", {key_file(dir, content)}}});
        EXPECT_EQ(error.status(), BK_E_CONFIG) << content;
        EXPECT_THAT(error.message(), HasSubstr("key")) << content;
        EXPECT_THAT(error.message() + error.hint(), Not(HasSubstr("AwQFBg")));
    }
    const std::string two = std::string(kKey1) + "\n" + kKey2 + "\n";
    const bk::Error error = refused(BK_REVERSE, {{"key-file", {key_file(dir, two)}}});
    EXPECT_THAT(error.message(), HasSubstr("more than one key"));
    const bk::Error text = refused(BK_FORWARD, {{"key", {foreign}}});
    EXPECT_EQ(text.status(), BK_E_CONFIG);
    EXPECT_THAT(text.message() + text.hint(), Not(HasSubstr("AwQF")));
}

TEST(AesKeys, AKeyFileOpenToOthersIsRefused) {
    const TestDir dir;
    for (const mode_t mode : {0640, 0604, 0660, 0601}) {
        const std::string path = key_file(dir, kKey1, mode);
        const bk::Error error = refused(BK_REVERSE, {{"key-file", {path}}});
        EXPECT_EQ(error.status(), BK_E_CONFIG) << std::oct << mode;
        EXPECT_EQ(error.hint(), "chmod 600 " + path);
    }
    const std::string path = key_file(dir, kKey1, 0400);
    EXPECT_EQ(refused(BK_REVERSE, {{"key-file", {path}}}).status(), BK_OK);
}

TEST(AesKeys, AMissingKeyFileIsNotFound) {
    EXPECT_EQ(refused(BK_REVERSE, {{"key-file", {"/nonexistent/key"}}}).status(), BK_E_NOT_FOUND);
}

TEST(AesKeys, AWriterTakesOneKeyAndAReaderSome) {
    for (const int32_t direction : {BK_FORWARD, BK_REVERSE}) {
        const bk::Error none = refused(direction, {});
        EXPECT_EQ(none.status(), BK_E_CONFIG);
        EXPECT_THAT(none.hint(), HasSubstr("'key-file'"));
    }
    const Values both = {{"key", {kKey1, kKey2}}};
    const bk::Error two = refused(BK_FORWARD, both);
    EXPECT_EQ(two.status(), BK_E_CONFIG);
    EXPECT_THAT(two.message(), HasSubstr("2 keys"));
    EXPECT_EQ(refused(BK_REVERSE, both).status(), BK_OK);
}

} // namespace
} // namespace aes256gcm_test
