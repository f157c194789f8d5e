// ${NAME} in one text: what is put in, what is not read again, what is refused.
#include "host/config/expand.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::Not;

const Environment kVariables =
    TestEnvironment{{{"A", "one"}, {"EMPTY", ""}, {"TRICKY", "${A} $$ $A {x: y}\n- z"}}}.get();

std::string expanded(std::string_view text) { return expand(text, kVariables).text; }

TEST(Expand, FormsAreReplaced) {
    EXPECT_EQ(expanded("${A}"), "one");
    EXPECT_EQ(expanded("x${A}y${A}"), "xoneyone");
    EXPECT_EQ(expanded("${EMPTY}"), "");
    EXPECT_EQ(expanded("${EMPTY:-two}"), "two");
    EXPECT_EQ(expanded("${NONE:-two}"), "two");
    EXPECT_EQ(expanded("${NONE:-}"), "");
    EXPECT_EQ(expanded("${A:-two}"), "one");
    EXPECT_EQ(expanded("${NONE:-a:-b}"), "a:-b");
    EXPECT_EQ(expanded("${NONE:-https://x/y}"), "https://x/y");
    EXPECT_EQ(expanded("$${A}"), "${A}");
    EXPECT_EQ(expanded("$$$$"), "$$");
    EXPECT_EQ(expanded("5$, $1 and $"), "5$, $1 and $");
    EXPECT_EQ(expanded(""), "");
    EXPECT_TRUE(expand("${A}", kVariables).from_environment);
    EXPECT_FALSE(expand("$$A", kVariables).from_environment);
}

TEST(Expand, WhatIsPutInIsNotReadAgain) {
    EXPECT_EQ(expanded("${TRICKY}"), "${A} $$ $A {x: y}\n- z");
}

TEST(Expand, AnUnsetVariableIsNamed) {
    const std::string error = error_of([] { (void)expanded("a ${NONE} b"); });
    EXPECT_THAT(error, HasSubstr("the environment variable 'NONE' is not set"));
    EXPECT_THAT(error, HasSubstr("${NONE:-value}"));
}

TEST(Expand, ADollarThatStartsNothingIsRefusedAndNotQuoted) {
    for (const char* text : {"pa$word", "pa${word", "${}", "${ A}", "${1word}", "${word-x}",
                             "${:-word}", "${a${A}}", "$_"}) {
        const std::string error = error_of([&] { (void)expanded(text); });
        EXPECT_THAT(error, HasSubstr("write $$ for a dollar sign")) << text;
        EXPECT_THAT(error, Not(HasSubstr("word"))) << text;
    }
}

} // namespace
} // namespace bkhost
