// YAML to tree: types, lines, limits, and that garbage is refused with a line and never crashes.
#include "host/config/yaml_tree.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Type = ConfigValue::Type;

const Environment kVariables = TestEnvironment{{{"A", "{x: [1"}, {"N", "5"}}}.get();

ConfigValue parse(std::string_view text) { return parse_yaml(text, "f.yaml", kVariables); }
std::string error(std::string_view text) {
    return error_of([&] { (void)parse(text); });
}

TEST(YamlTree, ScalarsKeepTheirTextAndType) {
    const ConfigValue root = parse("a: 1\nb: true\nc: 'true'\nd: ~\ne:\nf: x y\ng: 1.50\nh: 007\n"
                                   "i: \"\"\nj: yes\nk: !!str 5\n");
    const std::vector<std::pair<Type, std::string>> expected{
        {Type::number, "1"}, {Type::boolean, "true"}, {Type::string, "true"}, {Type::null, ""},
        {Type::null, ""},    {Type::string, "x y"},   {Type::number, "1.50"}, {Type::string, "007"},
        {Type::string, ""},  {Type::string, "yes"},   {Type::string, "5"}};
    ASSERT_EQ(root.entries.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(root.entries[i].value.type, expected[i].first) << root.entries[i].key;
        EXPECT_EQ(root.entries[i].value.text, expected[i].second) << root.entries[i].key;
        EXPECT_EQ(root.entries[i].line, static_cast<int>(i) + 1);
    }
}

TEST(YamlTree, JsonIsYaml) {
    const std::string json = R"({"a":[1,-2.5,true,null,"x\ny"],"b":{"c":{}},"d":[]})";
    EXPECT_EQ(to_json(parse(json)), json);
}

TEST(YamlTree, AnEmptyDocumentIsNull) {
    for (const char* text : {"", "\n\n", "# only a comment\n", "---\n", "---\n...\n"})
        EXPECT_EQ(parse(text).type, Type::null) << text;
}

TEST(YamlTree, VariablesAreTextAndNeverStructure) {
    const ConfigValue root = parse("a: ${A}\nb: ${N}\n${N}: c\n'd': '${N}'\n");
    EXPECT_EQ(root.entries[0].value.text, "{x: [1");
    EXPECT_TRUE(root.entries[0].value.expanded);
    EXPECT_EQ(root.entries[1].value.type, Type::string);
    EXPECT_EQ(root.entries[2].key, "${N}");
    EXPECT_EQ(root.entries[3].value.text, "5");
    EXPECT_EQ(error("a: 1\nb:\n  - x\n  - ${NONE}\n"),
              "f.yaml:4: the environment variable 'NONE' is not set; set it, or give a default: "
              "${NONE:-value}");
}

TEST(YamlTree, AliasesAreCopies) {
    const ConfigValue root = parse("a: &x {k: [1, 2]}\nb: *x\n");
    EXPECT_EQ(to_json(root), R"({"a":{"k":[1,2]},"b":{"k":[1,2]}})");
}

TEST(YamlTree, FaultsAreReportedWithTheirLine) {
    const struct {
        const char *text, *message;
    } kCases[]{
        {"a: 1\nb: 2\na: 3\n", "f.yaml:3: the key 'a' stands there twice, first in line 1"},
        {"x:\n  {a: 1,\n   a: 2}\n", "f.yaml:3: the key 'a' stands there twice, first in line 2"},
        {"a: 1\n\tb: 2\n", "the file holds tabs, and YAML is indented with spaces"},
        {"a: b: c\n", "f.yaml:1: not valid YAML"},
        {"a: 1\nb: [1, 2\n", "not valid YAML"},
        {"a: \"x\n", "not valid YAML"},
        {"a: 1\n--- \nb: 2\n", "more than one YAML document"},
        {"a: *nothing\n", "f.yaml:1: an alias means nothing known"},
        {"a: &x [*x]\n", "f.yaml:1: an alias stands inside of what it means"},
        {"a: 1\nb: !secret x\n", "f.yaml:2: tags are not supported"},
        {"[a]: 1\n", "f.yaml:1: a list or a map cannot be a key"},
        {"~: 1\n", "f.yaml:1: a key must be a text"},
        {"a: 1\nb: x\x01y\n", "f.yaml:2: the file is not UTF-8 text"},
        {"a: 1\n\nb: \xff\n", "f.yaml:3: the file is not UTF-8 text"},
        {"a: \xc3", "f.yaml:1: the file is not UTF-8 text"},
        {"a: \xc3(", "f.yaml:1: the file is not UTF-8 text"},
    };
    for (const auto& c : kCases)
        EXPECT_THAT(error(c.text), HasSubstr(c.message)) << c.text;
    EXPECT_THAT(error(std::string_view("a: \0b", 5)), HasSubstr("not UTF-8 text"));
    EXPECT_THAT(error("\xff\xfe"
                      "a\0"),
                HasSubstr("not UTF-8 text")); // UTF-16
}

TEST(YamlTree, AFileThatWasCutInAQuoteIsRefused) {
    for (const char* text : {"a: \"x", "a: \"x\n", "a: 'x\n\n", "a: \"x\n  b: y\n"})
        EXPECT_THAT(error(text), HasSubstr("not valid YAML")) << text;
    EXPECT_EQ(parse("a: |\n  x\n").entries[0].value.text, "x\n");
    EXPECT_EQ(parse("a: |+\n  x\n\n").entries[0].value.text, "x\n\n");
}

TEST(YamlTree, MessagesDoNotQuoteWhatMayBeAPassword) {
    for (const char* text :
         {"p: *canary\n", "p: &canary\n  *canary\n", "p: !canary\n", "p: !<canary> x\n",
          "p: %canary\n", "p: @canary\n", "p: \"can\\ary\"\n", "p: canary: canary\n",
          "p: {canary\n", "p: |canary\n", "p: 'canary\n", "p: can$ary\n", "p: [canary, {canary]\n",
          "%canary\n", "%YAML canary\n--- 1\n", "%TAG canary\n--- 1\n", "p: !canary!x y\n"})
        EXPECT_THAT(error(text), Not(HasSubstr("canary"))) << text;
}

TEST(YamlTree, DepthIsLimited) {
    const auto nested = [](size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(error(nested(64)), "nothing thrown");
    EXPECT_THAT(error(nested(65)), HasSubstr("f.yaml:1: more than 64 levels of nesting"));
    EXPECT_THAT(error(std::string(500'000, '[')), HasSubstr("f.yaml:1: "));
    EXPECT_THAT(error(std::string(500'000, '{')), HasSubstr("f.yaml:1: "));
    std::string blocks;
    for (int i = 0; i < 1000; ++i)
        blocks += std::string(static_cast<size_t>(i), ' ') + "a:\n";
    EXPECT_THAT(error(blocks), HasSubstr("more than 64 levels"));
    EXPECT_THAT(
        error("a: &x " + nested(40) + "\nb: " + std::string(40, '[') + "*x" + std::string(40, ']')),
        HasSubstr("f.yaml:2: more than 64 levels"));
}

TEST(YamlTree, SizeIsLimited) {
    EXPECT_EQ(error("# " + std::string(kMaxConfigBytes - 2, 'x')), "nothing thrown");
    EXPECT_THAT(error("# " + std::string(kMaxConfigBytes - 1, 'x')),
                HasSubstr("larger than 1 MiB"));
}

TEST(YamlTree, AliasesCannotMultiplyWithoutLimit) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        const std::string alias = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + alias;
        for (int j = 1; j < 10; ++j)
            bomb += ", " + alias;
        bomb += "]\n";
    }
    EXPECT_THAT(error(bomb), HasSubstr("more than 100000 values"));
}

} // namespace
} // namespace bkhost
