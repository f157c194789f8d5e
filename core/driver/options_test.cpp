// What a driver's options accept, what they refuse, and that a secret is never in a message.
#include "core/driver/options.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::Not;

OptionInfo option(std::string key, uint32_t type, std::string allowed = "", uint32_t flags = 0) {
    OptionInfo info;
    info.key = std::move(key);
    info.type = type;
    info.allowed = std::move(allowed);
    info.flags = flags;
    return info;
}

OptionInfo with_default(OptionInfo info, std::string value) {
    info.has_default = true;
    info.default_value = std::move(value);
    return info;
}

const std::vector<OptionInfo> kOptions{
    option("path", BK_OPT_PATH, "", BK_OPT_URL_TARGET),
    option("path-mode", BK_OPT_STRING),
    option("fsync", BK_OPT_BOOL),
    with_default(option("level", BK_OPT_INT, "-7..22"), "3"),
    with_default(option("part-size", BK_OPT_SIZE, "5MiB..5GiB"), "8MiB"),
    option("timeout", BK_OPT_DURATION, "1s..1h"),
    option("mode", BK_OPT_ENUM, "fast|safe|slow"),
    option("password", BK_OPT_SECRET),
    option("extra", BK_OPT_JSON),
    option("table", BK_OPT_STRING, "", BK_OPT_REPEATED),
};

OptionValues values(const OptionText& text) { return {kOptions, text, "storage 'here'"}; }

/// "message; hint" of the error that the text gives.
std::string failure(const std::vector<OptionInfo>& options, const OptionText& text) {
    try {
        OptionValues checked(options, text, "storage 'here'");
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CONFIG);
        return error.message() + "; " + error.hint();
    }
    return "accepted";
}
std::string failure(const OptionText& text) { return failure(kOptions, text); }

TEST(OptionValues, EachTypeIsReadAsTextAndAsNumber) {
    const OptionValues all = values({{"fsync", {"Yes"}},
                                     {"level", {"-7"}},
                                     {"part_size", {"5MiB"}},
                                     {"timeout", {"1m30s"}},
                                     {"mode", {"slow"}},
                                     {"password", {"hunter2"}},
                                     {"extra", {R"({"a":[1]})"}},
                                     {"table", {"a", "b"}}});
    const bk_config* config = all.config();
    EXPECT_EQ(config->struct_size, sizeof(bk_config));
    EXPECT_STREQ(config->get_str(config, "fsync", 0), "true");
    EXPECT_EQ(config->get_int(config, "fsync", 0), 1);
    EXPECT_EQ(config->get_int(config, "level", 0), -7);
    EXPECT_EQ(config->get_int(config, "part-size", 0), 5 << 20);
    EXPECT_EQ(config->get_int(config, "timeout", 0), 90'000);
    EXPECT_EQ(config->get_int(config, "mode", 0), 2);
    EXPECT_STREQ(config->get_str(config, "password", 0), "hunter2");
    EXPECT_STREQ(config->get_str(config, "extra", 0), R"({"a":[1]})");
    EXPECT_EQ(config->count(config, "table"), 2u);
    EXPECT_STREQ(config->get_str(config, "table", 1), "b");
}

TEST(OptionValues, AbsentOnesAreCountedZeroAndDefaultsAreFilledIn) {
    const OptionValues all = values({});
    const bk_config* config = all.config();
    EXPECT_EQ(config->count(config, "path"), 0u);
    EXPECT_EQ(config->get_str(config, "path", 0), nullptr);
    EXPECT_EQ(config->get_int(config, "path", 0), 0);
    EXPECT_EQ(config->get_str(config, "no-such", 0), nullptr);
    EXPECT_EQ(config->count(config, nullptr), 0u);
    EXPECT_EQ(config->get_int(config, "level", 0), 3);
    EXPECT_EQ(config->get_str(config, "level", 1), nullptr);
}

TEST(OptionValues, MovedValuesKeepTheirPointers) {
    OptionValues first = values({{"path-mode", {"x"}}});
    const bk_config* config = first.config();
    const char* text = config->get_str(config, "path-mode", 0);
    const OptionValues second = std::move(first);
    EXPECT_EQ(second.config(), config);
    EXPECT_EQ(second.config()->get_str(config, "path-mode", 0), text);
}

TEST(OptionValues, UnknownKeyNamesTheNearest) {
    EXPECT_EQ(failure({{"pasword", {"x"}}}),
              "storage 'here': unknown option 'pasword'; did you mean 'password'?");
    EXPECT_THAT(failure({{"zzzzzz", {"x"}}}), HasSubstr("options are: path, path-mode, fsync"));
    EXPECT_THAT(failure({}, {{"level", {"1"}}}), HasSubstr("takes no options"));
}

TEST(OptionValues, DashAndUnderscoreAreTheSameButNotTwice) {
    EXPECT_EQ(failure({{"path_mode", {"x"}}}), "accepted");
    EXPECT_THAT(failure({{"path_mode", {"x"}}, {"path-mode", {"y"}}}), HasSubstr("is given twice"));
}

TEST(OptionValues, WrongValuesAreRefusedWithTheRule) {
    const struct {
        const char *key, *text, *message;
    } kCases[]{
        {"level", "99", "option 'level' must be an int in -7..22, not '99'"},
        {"level", "three", "must be an int, not 'three'"},
        {"level", "", "must be an int"},
        {"level", "3 ", "must be an int"},
        {"part-size", "1MiB", "must be a size in 5MiB..5GiB, not '1MiB'"},
        {"part-size", "0", "must be a size in 5MiB..5GiB, not '0'"},
        {"part-size", "unlimited", "must be a size, not 'unlimited'"},
        {"part-size", "9000000TiB", "must be a size"},
        {"timeout", "60", "must be a duration, not '60'; for example 250ms"},
        {"timeout", "2h", "must be a duration in 1s..1h"},
        {"mode", "fats", "must be one of fast, safe, slow, not 'fats'; did you mean 'fast'?"},
        {"mode", "FAST", "must be one of"},
        {"fsync", "1", "must be true or false, not '1'"},
        {"extra", "{", "must be valid JSON"},
        {"path", "", "must be a path"},
        {"path", "~bob/x", "only ~/ is expanded"},
    };
    for (const auto& c : kCases)
        EXPECT_THAT(failure({{c.key, {c.text}}}), HasSubstr(c.message)) << c.key << '=' << c.text;
    EXPECT_THAT(failure({{"table", {std::string("a\0b", 3)}}}), HasSubstr("NUL byte"));
    EXPECT_THAT(failure({{"level", {"1", "2"}}}), HasSubstr("takes one value, not a list"));
}

TEST(OptionValues, ARequiredOneMayBeNeitherMissingNorEmpty) {
    OptionInfo bucket = option("bucket", BK_OPT_STRING, "", BK_OPT_REQUIRED);
    bucket.help = "name of the bucket";
    EXPECT_EQ(failure({bucket}, {}), "storage 'here': required option 'bucket' is missing; "
                                     "bucket: name of the bucket");
    EXPECT_THAT(failure({bucket}, {{"bucket", {}}}), HasSubstr("is missing"));
    EXPECT_THAT(failure({bucket}, {{"bucket", {""}}}), HasSubstr("must not be empty"));
}

TEST(OptionValues, HomeIsExpandedInPathsOnly) {
    ::setenv("HOME", "/home/tester", 1);
    const OptionValues all = values({{"path", {"~/x"}}, {"path-mode", {"~/x"}}});
    EXPECT_STREQ(all.config()->get_str(all.config(), "path", 0), "/home/tester/x");
    EXPECT_STREQ(all.config()->get_str(all.config(), "path-mode", 0), "~/x");
    ::unsetenv("HOME");
    EXPECT_THAT(failure({{"path", {"~/x"}}}), HasSubstr("HOME is not set"));
}

TEST(OptionValues, ASecretIsInNoMessageAndNotInThePublicText) {
    const std::string canary = "canary-4711";
    const std::string nul = canary + '\0';
    EXPECT_THAT(failure({{"password", {nul}}}), Not(HasSubstr(canary)));
    EXPECT_THAT(failure({{"password", {canary, canary}}}), Not(HasSubstr(canary)));
    EXPECT_THAT(failure({{"password", {canary}}, {"level", {"x"}}}), Not(HasSubstr(canary)));
    const OptionText text = values({{"password", {canary}}, {"level", {"9"}}}).public_text();
    EXPECT_EQ(text.count("password"), 0u);
    EXPECT_EQ(text.at("level").front(), "9");
    EXPECT_EQ(text.at("part-size").front(), "8MiB");
}

TEST(CheckOptions, AllProblemsAreReportedTogether) {
    const auto problems =
        check_options(kOptions, {{"level", {"99"}}, {"colour", {"red"}}, {"mode", {"odd"}}});
    EXPECT_EQ(problems.size(), 3u);
    EXPECT_EQ(problems.front().key, "colour");
}

TEST(CheckOptions, UnresolvedOnesCountAsPresent) {
    const std::vector<OptionInfo> options{option("key", BK_OPT_SECRET, "", BK_OPT_REQUIRED)};
    EXPECT_EQ(check_options(options, {}).size(), 1u);
    EXPECT_TRUE(check_options(options, {}, {"key"}).empty());
    EXPECT_EQ(check_options(options, {}, {"key", "kye"}).size(), 1u);
    EXPECT_EQ(check_options(options, {{"key", {"x"}}}, {"key"}).size(), 1u);
}

TEST(CheckOptions, ConfidentialValuesAreNotQuoted) {
    const OptionText text{{"level", {"canary"}}};
    EXPECT_THAT(check_options(kOptions, text)[0].what, HasSubstr("canary"));
    EXPECT_THAT(check_options(kOptions, text, {}, {"level"})[0].what, Not(HasSubstr("canary")));
}

TEST(CheckOptions, ARangeThatIsNoneIsTheDriversFault) {
    const std::vector<OptionInfo> options{option("n", BK_OPT_INT, "few..many")};
    EXPECT_THROW((void)check_options(options, {{"n", {"1"}}}), bk::Error);
}

TEST(Describe, SaysTypeRuleAndDefault) {
    EXPECT_EQ(describe(kOptions[4]), "size, 5MiB..5GiB, default 8MiB");
    EXPECT_EQ(describe(kOptions[9]), "list of string");
    EXPECT_EQ(describe(with_default(option("pw", BK_OPT_SECRET), "x")), "secret");
    EXPECT_EQ(describe(option("b", BK_OPT_STRING, "", BK_OPT_REQUIRED)), "string, required");
    EXPECT_STREQ(option_type_name(BK_OPT_DURATION), "duration");
    EXPECT_STREQ(option_type_name(99), "unknown");
}

} // namespace
} // namespace bkhost
