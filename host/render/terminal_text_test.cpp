#include "host/render/terminal_text.hpp"

#include <gtest/gtest.h>

namespace bkhost {

TEST(TerminalText, ControlCharactersBecomeVisible) {
    EXPECT_EQ(escape_terminal("a\x1b[31mred\a"), "a\\x1b[31mred\\x07");
    EXPECT_EQ(escape_terminal(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
    EXPECT_EQ(escape_terminal("a\nb\tc\r"), "a\\nb\\tc\\r");
}

TEST(TerminalText, EightBitControlsAndReversedTextBecomeVisible) {
    EXPECT_EQ(escape_terminal("\xc2\x9b"
                              "31m"),
              "\\u{9b}31m");                                               // CSI in one character
    EXPECT_EQ(escape_terminal("\xe2\x80\xaegpj.exe"), "\\u{202e}gpj.exe"); // U+202E
    EXPECT_EQ(escape_terminal("a\xe2\x80\xa8z\xe2\x81\xa9"),
              "a\\u{2028}z\\u{2069}"); // line separator
}

TEST(TerminalText, WhatIsNotUtf8BecomesVisible) {
    EXPECT_EQ(escape_terminal("\xff"), "\\xff");
    EXPECT_EQ(escape_terminal("a\xc3"), "a\\xc3");                          // cut short
    EXPECT_EQ(escape_terminal("\xc3("), "\\xc3(");                          // no continuation
    EXPECT_EQ(escape_terminal("\xc0\x9b"), "\\xc0\\x9b");                   // overlong
    EXPECT_EQ(escape_terminal("\xe0\x82\x9b"), "\\xe0\\x82\\x9b");          // overlong in three
    EXPECT_EQ(escape_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");          // a surrogate
    EXPECT_EQ(escape_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"); // past U+10FFFF
}

TEST(TerminalText, OrdinaryTextStays) {
    for (const char* text : {"", "C:\\shop", "Zürich", "日本語", "👍", "e\xcc\x81"})
        EXPECT_EQ(escape_terminal(text), text);
}

TEST(TerminalText, LinesStayLinesAndAreIndented) {
    EXPECT_EQ(escape_lines("one\ntwo\x1b\n\n"), "one\n  two\\x1b");
    EXPECT_EQ(escape_lines("\n"), "");
}

TEST(TerminalText, WidthCountsColumns) {
    EXPECT_EQ(display_width(""), 0u);
    EXPECT_EQ(display_width("Zürich"), 6u);
    EXPECT_EQ(display_width("日本語"), 6u);
    EXPECT_EQ(display_width("한글"), 4u);
    EXPECT_EQ(display_width("👍"), 2u);
    EXPECT_EQ(display_width("e\xcc\x81"), 1u); // e and a combining accent
}

TEST(TerminalText, CuttingNeverSplitsACharacter) {
    EXPECT_EQ(cut_to_width("abc", 2), "ab");
    EXPECT_EQ(cut_to_width("abc", 9), "abc");
    EXPECT_EQ(cut_to_width("日本", 3), "日");
    EXPECT_EQ(cut_to_width("日本", 1), "");
    EXPECT_EQ(cut_to_width("e\xcc\x81z", 1), "e\xcc\x81"); // the accent goes with its letter
}

} // namespace bkhost
