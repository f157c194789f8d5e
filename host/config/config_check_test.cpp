// Blocks against their drivers, names against what they name; and what resolve gives.
#include "host/config/block_options.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigCheck : public testing::Test {
protected:
    ConfigCheck() {
        env_.variables = {{"HOME", "/home/me"}, {"PORT", "canary"}, {"PW", "hunter2"}};
    }

    /// All problems, a line each, without the file's name.
    std::string check(std::string_view text, mode_t mode = 0600) {
        path_ = folder_.write("f.yaml", text, mode);
        return shortened(complaints(path_, env_.get()));
    }
    std::string shortened(std::string all) const {
        for (size_t at = 0; (at = all.find(path_, at)) != std::string::npos;)
            all.erase(at, path_.size());
        return all;
    }
    /// The options of a postgres source with these options.
    OptionText resolved(std::string_view options, mode_t mode = 0600) {
        path_ = folder_.write(
            "f.yaml", "sources:\n  s: {driver: postgres, " + std::string(options) + "}\n", mode);
        const Config config = load_config(path_, env_.get());
        return resolve(config.source("s").block, registry_.options(kDumper, "postgres"),
                       env_.get());
    }
    std::string resolve_error(std::string_view options, mode_t mode = 0600) {
        return shortened(error_of([&] { (void)resolved(options, mode); }));
    }

    TempFolder folder_;
    TestEnvironment env_;
    TestRegistry registry_;
    std::string path_;
};

constexpr std::string_view kGood = R"(storages:
  here: {driver: local, path: /b}
  there: {driver: local, path: /c}
sources:
  shop: {driver: postgres, host: db, port: 5432, password: {command: [does-not-exist]}}
jobs:
  shop: {source: shop, store: [here, there], encrypt: {driver: age, recipients: [a, b]}}
decrypt:
  - {driver: age, identity-files: {file: /does/not/exist}}
)";

std::string good_with(std::string_view from, std::string_view to) {
    std::string text(kGood);
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST_F(ConfigCheck, AGoodOneHasNoProblemsAndRunsNothing) { EXPECT_EQ(check(kGood), ""); }

TEST_F(ConfigCheck, EachProblemHasItsLine) {
    const struct {
        const char *from, *to, *message;
    } kCases[]{
        {"path: /b", "path: /b, pth: /b",
         ":2: storage 'here' (driver local): unknown option 'pth'; did you mean 'path'?"},
        {"path: /b", "part-size: 8MiB",
         ":2: storage 'here' (driver local): required option 'path' is missing"},
        {"path: /b", "path: /b, part_size: 1MiB",
         ":2: storage 'here' (driver local): option 'part-size' must be a size in 5MiB..5GiB, not "
         "'1MiB'"},
        {"path: /b", "path:", ":2: storage 'here' (driver local): option 'path' has no value"},
        {"path: /b", "path: []", "option 'path' has no value"},
        {"path: /b", "path: [/b, /c]", "option 'path' takes one value, not a list"},
        {"path: /b", "path: {a: b}", "option 'path' must be of type path; a secret is {env: NAME}"},
        {"path: /b", "path: {env: A, file: B}", "option 'path' must be of type path"},
        {"path: /b", "path: {env: [A]}", "option 'path' must be of type path"},
        {"path: /b", "path: {command: pass}", "option 'path' must be of type path"},
        {"path: /b", "path: {command: []}", "option 'path' must be of type path"},
        {"path: /b", "path: {command: [[a]]}", "option 'path' must be of type path"},
        {"driver: local, path: /b", "driver: locl, path: /b",
         ":2: storage 'here' (driver locl): no storage driver 'locl'; see bkhost plugin list"},
        {"port: 5432", "port: 99999",
         ":5: source 'shop' (driver postgres): option 'port' must be an int in 1..65535, not "
         "'99999'"},
        {"port: 5432", "port: '${PORT}'",
         ":5: source 'shop' (driver postgres): option 'port' must be an int"},
        {"port: 5432", "tunnel: prod",
         ":5: source 'shop' (driver postgres): unknown option 'tunnel'"},
        {"source: shop", "source: shpo",
         ":7: job 'shop' names the source 'shpo', which is not there; did you mean 'shop'?"},
        {"source: shop, ", "", ":7: job 'shop' has no source"},
        {"store: [here, there]", "store: [here, ther]",
         ":7: job 'shop' names the storage 'ther', which is not there; did you mean 'there'?"},
        {"store: [here, there]", "store: [zzzzzzz]", "which is not there; there are: here, there"},
        {"store: [here, there], ", "", ":7: job 'shop' has no store"},
        {"store: [here, there]", "store: [here, here]",
         ":7: job 'shop' names the storage 'here' twice"},
        {"store: [here, there]", "store: here, store-policy: 2",
         ":7: store-policy of job 'shop' asks for 2 copies, but store names 1"},
        {"source: shop", "source: shop, include-tables: [a], exclude-tables: [a]",
         "both includes and excludes the table 'a'"},
        {"source: shop", "source: shop, compress: {driver: zstd, level: 99}",
         ":7: compress of job 'shop' (driver zstd): option 'level' must be an int in 1..22"},
        {"driver: age, recipients", "driver: gpg, recipients",
         ":7: encrypt of job 'shop' (driver gpg): no encryptor driver 'gpg'"},
        {"identity-files", "identty-files",
         ":9: decrypt (driver age): unknown option 'identty-files'; did you mean "
         "'identity-files'?"},
    };
    for (const auto& c : kCases) {
        const std::string found = check(good_with(c.from, c.to));
        EXPECT_THAT(found, HasSubstr(c.message)) << c.to;
        EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 1) << found;
        EXPECT_THAT(found, Not(HasSubstr("canary")));
    }
}

TEST_F(ConfigCheck, AllProblemsAreReportedInTheOrderOfTheFile) {
    const std::string all = check("jobs:\n  j: {source: a, store: zzzzz}\n"
                                  "storages:\n  s: {driver: local, pth: x}\n");
    EXPECT_EQ(all, ":2: job 'j' names the source 'a', which is not there; no source is configured\n"
                   ":2: job 'j' names the storage 'zzzzz', which is not there; there are: s\n"
                   ":4: storage 's' (driver local): unknown option 'pth'; did you mean 'path'?\n"
                   ":4: storage 's' (driver local): required option 'path' is missing\n");
}

TEST_F(ConfigCheck, PlainSecretsNeedAFileOfTheOwnersOwn) {
    const std::string text = good_with("{command: [does-not-exist]}", "canary");
    EXPECT_EQ(check(text, 0600), "");
    for (mode_t mode : {0640, 0604, 0620}) {
        const std::string found = check(text, mode);
        EXPECT_THAT(found, HasSubstr(":5: source 'shop' (driver postgres): the secret option "
                                     "'password' is plain text in a file that others"));
        EXPECT_THAT(found, HasSubstr("chmod 600"));
        EXPECT_THAT(found, Not(HasSubstr("canary")));
    }
    EXPECT_EQ(check(kGood, 0644), "");
    EXPECT_THAT(resolve_error("password: canary", 0644), HasSubstr("is plain text in a file"));
}

TEST_F(ConfigCheck, ResolveGivesTextsOfEveryForm) {
    folder_.write("pw", "from-file\n");
    const OptionText text = resolved("host: db, port: 5432, schema: [a, {env: PW}, c], "
                                     "password: {file: pw}, user: {command: [printf, '%s', me]}, "
                                     "extra: {x: [1, true, 'y'], z: {env: PW, b: 1}}");
    EXPECT_THAT(text.at("host"), ElementsAre("db"));
    EXPECT_THAT(text.at("port"), ElementsAre("5432"));
    EXPECT_THAT(text.at("schema"), ElementsAre("a", "hunter2", "c"));
    EXPECT_THAT(text.at("password"), ElementsAre("from-file"));
    EXPECT_THAT(text.at("user"), ElementsAre("me"));
    EXPECT_THAT(text.at("extra"), ElementsAre(R"({"x":[1,true,"y"],"z":{"env":"PW","b":1}})"));
    EXPECT_THAT(resolved("extra: [1, 2]").at("extra"), ElementsAre("[1,2]"));
    EXPECT_THAT(resolved("extra: '{\"a\": 1}'").at("extra"), ElementsAre("{\"a\": 1}"));
}

TEST_F(ConfigCheck, ResolvedValuesFitTheDriver) {
    const std::vector<OptionInfo>& options = registry_.options(kDumper, "postgres");
    const OptionValues values(options, resolved("schema: [a, b], port: '1'"), "source 's'");
    EXPECT_EQ(values.config()->count(values.config(), "schema"), 2u);
}

TEST_F(ConfigCheck, ResolveRefusesWithFileAndLineAndWithoutTheValue) {
    const std::string port = resolve_error("port: {env: PORT}");
    EXPECT_EQ(port, ":2: source 's' (driver postgres): option 'port' must be an int; "
                    "a whole number such as 3");
    EXPECT_EQ(resolve_error("password: {env: NONE}"),
              ":2: source 's' (driver postgres): option 'password': the environment variable "
              "'NONE' is not set or empty; it should hold the secret");
    const std::string both = resolve_error("password: {env: NONE}, port: 0");
    EXPECT_THAT(both, HasSubstr("2 problems"));
}

TEST_F(ConfigCheck, OnlyTheBlockThatIsResolvedIsRead) {
    path_ = folder_.write("f.yaml", kGood);
    const Config config = load_config(path_, env_.get());
    const OptionText text =
        resolve(config.storage("here").block, registry_.options(kStorage, "local"), env_.get());
    EXPECT_THAT(text.at("path"), ElementsAre("/b"));
}

TEST_F(ConfigCheck, ProblemsAreOneErrorOrNone) {
    throw_problems({});
    EXPECT_EQ(error_of([] { throw_problems({{"f", 3, "what", "hint"}}); }), "f:3: what; hint");
    EXPECT_EQ(error_of([] {
                  throw_problems({{"f", 3, "what", "hint"}, {"f", 0, "more", ""}});
              }),
              "2 problems in the configuration\n  f:3: what; hint\n  f: more");
}

} // namespace
} // namespace bkhost
