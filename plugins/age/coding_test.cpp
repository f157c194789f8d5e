// Base64 and Bech32 against published vectors, and what they refuse.
#include "age_fixture.hpp"
#include "base64.hpp"
#include "bech32.hpp"

#include <gtest/gtest.h>

namespace age_plugin {
namespace {

using age_test::Bytes;

Bytes bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

TEST(Base64, IsThatOfRfc4648WithoutPadding) {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : vectors) {
        EXPECT_EQ(base64(bytes(plain)), text);
        ASSERT_TRUE(from_base64(text)) << text;
        EXPECT_EQ(*from_base64(text), bytes(plain));
    }
    const Bytes high = {0xfb, 0xff, 0xbf};
    EXPECT_EQ(base64(high), "+/+/");
}

TEST(Base64, RefusesWhatIsNotCanonical) {
    for (const char* text : {"Z", "Zg==", "Zh", "Zm9", "Zm 9v", "Zm9v\n", "Zm-_", "Zm9vY"})
        EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Bech32, TakesTheValidTextsOfBip173) {
    const char* texts[] = {
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1"
        "tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247"
        "j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl"};
    for (const std::string text : texts) {
        const auto decoded = from_bech32(text);
        ASSERT_TRUE(decoded) << text;
        std::string lower;
        for (const char c : text)
            lower += static_cast<char>(std::tolower(c));
        EXPECT_EQ(bech32(decoded->prefix, decoded->content), lower);
    }
    const auto abcdef = from_bech32("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw");
    EXPECT_EQ(abcdef->prefix, "abcdef");
    EXPECT_EQ(abcdef->content, age_test::from_hex("00443214c74254b635cf84653a56d7c675be77df"));
}

TEST(Bech32, RefusesTheInvalidTextsOfBip173) {
    for (const char* text : {"\x20"
                             "1nwldj5",
                             "\x7f"
                             "1axkwrx",
                             "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3", "A1G7SGD8",
                             "10a06t8", "1qzzfhee", "A12uEL5L", "", "1"})
        EXPECT_FALSE(from_bech32(text)) << text;
}

TEST(Bech32, RefusesEveryChangedCharacterOfAKey) {
    const std::string key = age_test::kRecipient1;
    for (size_t i = 0; i < key.size(); ++i) {
        std::string bad = key;
        bad[i] = bad[i] == 'q' ? 'p' : 'q';
        EXPECT_FALSE(from_bech32(bad)) << bad;
    }
}

} // namespace
} // namespace age_plugin
