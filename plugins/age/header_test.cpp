// The header's grammar: what is written is parsed, and nothing else.
#include "header.hpp"

#include <bkhost/error.hpp>

#include <gtest/gtest.h>

namespace age_plugin {
namespace {

const std::string kMac = "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";

std::string with(const std::string& stanzas) { return std::string(kMagic) + '\n' + stanzas + kMac; }

bk_status parsed(const std::string& text) {
    try {
        (void)parse_header(text);
        return BK_OK;
    } catch (const bk::Error& error) {
        return error.status();
    }
}

TEST(Header, RoundTripsBodiesOfEverySize) {
    FileKey file_key;
    random_bytes(file_key);
    for (size_t size = 0; size <= 150; ++size) {
        const std::vector<Stanza> stanzas = {{{"X25519", "abc"}, std::vector<uint8_t>(size, 'b')},
                                             {{"other", "a", "+/~!"}, {}}};
        const std::string text = write_header(stanzas, file_key);
        const Header header = parse_header(text);
        ASSERT_EQ(header.stanzas.size(), 2U);
        for (size_t i = 0; i < 2; ++i) {
            EXPECT_EQ(header.stanzas[i].arguments, stanzas[i].arguments);
            EXPECT_EQ(header.stanzas[i].body, stanzas[i].body) << size;
        }
        EXPECT_NO_THROW(verify_header(header, file_key));
    }
}

TEST(Header, AnotherKeyOrTextHasAnotherMac) {
    FileKey file_key;
    const std::string text = write_header({{{"x"}, {}}}, file_key);
    FileKey other = file_key;
    other[0] ^= 1;
    EXPECT_THROW(verify_header(parse_header(text), other), bk::Error);
    std::string changed = text;
    changed[text.find("-> x") + 3] = 'y';
    EXPECT_THROW(verify_header(parse_header(changed), file_key), bk::Error);
}

TEST(Header, RefusesWhatTheGrammarDoesNotAllow) {
    const std::string full(64, 'A');
    EXPECT_EQ(parsed(with("-> x\n\n")), BK_OK);
    EXPECT_EQ(parsed(with("-> x\n" + full + "\n\n")), BK_OK);
    for (const std::string& bad :
         {std::string(), std::string("-> x\n"), std::string("->\n\n"), std::string("-> \n\n"),
          std::string("-> x \n\n"), std::string("-> x  y\n\n"), std::string("-> x\ty\n\n"),
          std::string("-> x\r\n\n"), std::string("-> \xc3\xa4\n\n"), std::string("-> x\nA\n"),
          std::string("-> x\nAA==\n"), std::string("-> x\nAB\n"), "-> x\n" + full + "\n",
          "-> x\n" + full + "A\n\n", std::string("=> x\n\n"), std::string("\n-> x\n\n")})
        EXPECT_EQ(parsed(with(bad)), BK_E_CORRUPT) << bad;
    const std::string good = with("-> x\n\n");
    EXPECT_EQ(parsed(good + "more"), BK_E_CORRUPT);
    EXPECT_EQ(parsed(good.substr(0, good.size() - 1)), BK_E_CORRUPT);
    EXPECT_EQ(parsed(good.substr(0, good.size() - 2) + "\n"), BK_E_CORRUPT);
    EXPECT_EQ(parsed("age-encryption.org/v2" + good.substr(kMagic.size())), BK_E_CORRUPT);
    std::string no_space = good;
    no_space[good.rfind("--- ") + 3] = 'A';
    EXPECT_EQ(parsed(no_space), BK_E_CORRUPT);
}

TEST(Header, TooManyRecipientsAreAConfigurationError) {
    const std::vector<Stanza> stanzas(2000, {{"X25519", std::string(43, 'A')}, {1, 2, 3}});
    try {
        (void)write_header(stanzas, FileKey{});
        FAIL() << "taken";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CONFIG);
    }
}

} // namespace
} // namespace age_plugin
