// The file as structs: every key, every default, every problem of form with its line.
#include "host/config/config.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigLoad : public testing::Test {
protected:
    ConfigLoad() { env_.variables = {{"HOME", "/home/me"}, {"PW", "canary"}, {"JOB", "nightly"}}; }
    Config load(std::string_view text, const std::optional<std::string>& environment = {}) {
        path_ = folder_.write("f.yaml", text);
        return load_config(path_, env_.get(), environment);
    }
    /// What is wrong, with the file's name cut out: ":3: what; hint".
    std::string error(std::string_view text) {
        std::string all = error_of([&] { (void)load(text); });
        for (size_t at = 0; (at = all.find(path_, at)) != std::string::npos;)
            all.erase(at, path_.size());
        return all;
    }

    TempFolder folder_;
    TestEnvironment env_;
    std::string path_;
};

TEST_F(ConfigLoad, AnEmptyFileIsAllDefaults) {
    const Config config = load("# nothing\n");
    EXPECT_EQ(config.path, path_);
    EXPECT_EQ(config.environment, "default");
    EXPECT_EQ(config.environment_origin, "default");
    EXPECT_EQ(config.catalog_path, "/home/me/.local/state/bkhost/catalog.db");
    EXPECT_EQ(config.memory, 96u << 20);
    EXPECT_THAT(config.jobs, IsEmpty());
    EXPECT_THAT(load("jobs:\nsources:\nstorages:\n").jobs, IsEmpty());
}

TEST_F(ConfigLoad, EveryKeyIsRead) {
    const Config config = load(R"(
environment: production
catalog: state/catalog.db
plugin_dirs: [plugins, ~/more, /abs]
memory: 128 MiB
storages:
  b: {driver: local, path: /b}
  a: {driver: local, path: /a}
sources:
  shop: {driver: sqlite, path: /shop.db}
jobs:
  shop:
    source: shop
    store: [b, a]
    store-policy: any
    compress: {driver: zstd, level: 9}
    encrypt: {driver: age, recipients: [x]}
    volume_size: 16GiB
    memory: 64MiB
    include-tables: [t]
    exclude-tables: u
    max-rate: 20MiB
    timeout: 1h30m
    retries: 3
decrypt: [{driver: age, identity-files: id}]
)");
    EXPECT_EQ(config.environment, "production");
    EXPECT_EQ(config.environment_origin, "configuration");
    EXPECT_EQ(config.catalog_path, folder_.path("state/catalog.db"));
    EXPECT_THAT(config.plugin_dirs, ElementsAre(folder_.path("plugins"), "/home/me/more", "/abs"));
    EXPECT_EQ(config.memory, 128u << 20);
    ASSERT_EQ(config.storages.size(), 2u);
    EXPECT_EQ(config.storages[0].name, "b"); // the order of the file
    EXPECT_EQ(config.storages[1].block.object, "storage 'a' (driver local)");
    EXPECT_EQ(config.storages[1].block.line, 8);
    EXPECT_TRUE(config.storages[1].block.file_private);
    EXPECT_EQ(config.source("shop").block.driver, "sqlite");
    const JobConfig& job = config.job("shop");
    EXPECT_EQ(job.line, 12);
    EXPECT_EQ(job.source, "shop");
    EXPECT_THAT(job.store, ElementsAre("b", "a"));
    EXPECT_EQ(job.store_policy, "any");
    EXPECT_EQ(job.compress->options[0].key, "level");
    EXPECT_EQ(job.encrypt->driver, "age");
    EXPECT_EQ(job.volume_size, uint64_t{16} << 30);
    EXPECT_EQ(job.memory, 64u << 20);
    EXPECT_THAT(job.include_tables, ElementsAre("t"));
    EXPECT_THAT(job.exclude_tables, ElementsAre("u"));
    EXPECT_EQ(job.max_rate, 20u << 20);
    EXPECT_EQ(job.timeout_ms, 5'400'000);
    EXPECT_EQ(job.retries, 3u);
    ASSERT_EQ(config.decrypt.size(), 1u);
    EXPECT_EQ(config.decrypt[0].driver, "age");
}

TEST_F(ConfigLoad, AJobsDefaults) {
    const JobConfig job = load("jobs: {j: {source: s, store: a}}").job("j");
    EXPECT_EQ(job.compress->driver, "zstd");
    EXPECT_THAT(job.compress->options, IsEmpty());
    EXPECT_FALSE(job.encrypt);
    EXPECT_EQ(job.store_policy, "all");
    EXPECT_EQ(job.volume_size, 0u);
    EXPECT_EQ(job.memory, 0u);
    EXPECT_EQ(job.max_rate, 0u);
    EXPECT_EQ(job.timeout_ms, 0);
    EXPECT_EQ(job.retries, 0u);
    EXPECT_THAT(job.store, ElementsAre("a"));
}

TEST_F(ConfigLoad, WordsOfAJob) {
    const JobConfig job = load("jobs: {j: {compress: none, encrypt: none, volume-size: unlimited, "
                               "store-policy: 2, max-rate: unlimited, timeout: unlimited}}")
                              .job("j");
    EXPECT_FALSE(job.compress);
    EXPECT_FALSE(job.encrypt);
    EXPECT_EQ(job.volume_size, kUnlimited);
    EXPECT_EQ(job.store_policy, "2");
    EXPECT_EQ(job.max_rate, 0u);
    EXPECT_EQ(job.timeout_ms, 0);
    EXPECT_EQ(load("jobs: {j: {compress: gzip}}").job("j").compress->driver, "gzip");
}

TEST_F(ConfigLoad, EachProblemOfFormHasItsLine) {
    const struct {
        const char *text, *message;
    } kCases[]{
        {"\njbos: {}", ":2: unknown key 'jbos'; did you mean 'jobs'?"},
        {"retention: {daily: 7}", ":1: unknown key 'retention'; keys are: environment, catalog"},
        {"tunnels: {}", ":1: unknown key 'tunnels'"},
        {"schedule: x", ":1: unknown key 'schedule'"},
        {"<<: {}", ":1: unknown key '<<'"},
        {"jobs:\n  j:\n    schedule: '0 3 * * *'",
         ":3: unknown key 'schedule' in job 'j'; keys are: "},
        {"jobs:\n  j:\n    retention: {daily: 7}", ":3: unknown key 'retention' in job 'j'"},
        {"jobs:\n  j:\n    stores: a",
         ":3: unknown key 'stores' in job 'j'; did you mean 'store'?"},
        {"plugin-dirs: a\nplugin_dirs: b", ":2: the key 'plugin-dirs' stands there twice"},
        {"- a", ":1: a configuration is a map of keys"},
        {"nonsense", ":1: a configuration is a map of keys"},
        {"environment: Pro", ":1: environment must be a label, not 'Pro'; a label is"},
        {"environment: ''", ":1: environment must be a text; it is empty"},
        {"environment: [x]", ":1: environment must be a text; it is a list or a map"},
        {"catalog:", ":1: catalog must be a text"},
        {"plugin-dirs: []", ":1: plugin-dirs is an empty list"},
        {"plugin-dirs: [a, [b]]", ":1: an item of plugin-dirs must be a text"},
        {"memory: 0", ":1: memory must not be 0"},
        {"memory: much", ":1: memory must be a size, not 'much'; for example"},
        {"memory: unlimited", ":1: memory must be a size, not 'unlimited'"},
        {"memory: -5", ":1: memory must be a size"},
        {"memory: [5]", ":1: memory must be a size"},
        {"jobs:\n  j:\n    volume-size: 0",
         ":3: volume-size of job 'j' must not be 0; for no limit write unlimited"},
        {"jobs:\n  j:\n    volume-size:", ":3: volume-size of job 'j' must be a size"},
        {"jobs:\n  j:\n    max-rate: 0",
         ":3: max-rate of job 'j' must not be 0; for no limit write"},
        {"jobs:\n  j:\n    max-rate: fast", ":3: max-rate of job 'j' must be a size, not 'fast'"},
        {"jobs:\n  j:\n    timeout: 0s",
         ":3: timeout of job 'j' must not be 0; for no limit write"},
        {"jobs:\n  j:\n    timeout: 90", ":3: timeout of job 'j' must be a duration, not '90'"},
        {"jobs:\n  j:\n    timeout: [2h]", ":3: timeout of job 'j' must be a duration"},
        {"jobs:\n  j:\n    retries: -1",
         ":3: retries of job 'j' must be a number, not '-1'; from 0 to 100"},
        {"jobs:\n  j:\n    retries: 101", ":3: retries of job 'j' must be a number, not '101'"},
        {"jobs:\n  j:\n    retries: unlimited", ":3: retries of job 'j' must be a number"},
        {"storages: [a]", ":1: 'storages' must be a map of names; write the name of the storage"},
        {"storages:\n  .a: {driver: local}", ":2: '.a' cannot name a storage; names are"},
        {"storages:\n  a/b: {driver: local}", ":2: 'a/b' cannot name a storage"},
        {"sources:\n  a: {path: x}", ":2: source 'a' names no driver; write {driver: NAME"},
        {"sources:\n  a:", ":2: source 'a' names no driver"},
        {"sources:\n  a: /x/y.db", ":2: source 'a' names no driver"},
        {"sources:\n  a: {driver: [x]}", ":2: driver of source 'a' must be a text"},
        {"jobs:\n  j: x", ":2: job 'j' must be a map of keys"},
        {"jobs:\n  j:\n    compress:", ":3: compress of job 'j' names no driver"},
        {"jobs:\n  j:\n    compress: zstd:9", ":3: compress of job 'j' names no driver"},
        {"jobs:\n  j:\n    encrypt: false", ":3: encrypt of job 'j' names no driver"},
        {"jobs:\n  j:\n    store: []", ":3: store of job 'j' is an empty list"},
        {"jobs:\n  j:\n    include-tables: []", ":3: include-tables of job 'j' is an empty list"},
        {"jobs:\n  j:\n    store-policy: most",
         ":3: store-policy of job 'j' must be all, any or a number, not 'most'"},
        {"jobs:\n  j:\n    store-policy: 0",
         ":3: store-policy of job 'j' must be all, any or a number, not '0'"},
        {"decrypt: age", ":1: 'decrypt' must be a list of blocks"},
        {"decrypt:\n  - {identity: x}", ":2: decrypt names no driver"},
        {"a: 1\na: 2", ":2: the key 'a' stands there twice, first in line 1"},
        {"environment: ${NONE}", ":1: the environment variable 'NONE' is not set"},
    };
    for (const auto& c : kCases)
        EXPECT_THAT(error(c.text), HasSubstr(c.message)) << c.text;
}

TEST_F(ConfigLoad, AllProblemsOfFormAreReportedTogether) {
    const std::string all = error("memory: 0\njbos: {}\nstorages:\n  a: {}\n");
    EXPECT_THAT(all, HasSubstr("3 problems in the configuration\n  :1: memory must not be 0"));
    EXPECT_THAT(all, HasSubstr("\n  :2: unknown key 'jbos'"));
    EXPECT_THAT(all, HasSubstr("\n  :4: storage 'a' names no driver"));
}

TEST_F(ConfigLoad, ValuesFromTheEnvironmentAreNotQuoted) {
    EXPECT_THAT(error("memory: ${PW}"), Not(HasSubstr("canary")));
    EXPECT_THAT(error("environment: ${PW}X"), Not(HasSubstr("canary")));
    EXPECT_THAT(error("jobs: {j: {store-policy: '${PW}'}}"), Not(HasSubstr("canary")));
    EXPECT_THAT(error("sources: {a: '${PW}/x'}"), Not(HasSubstr("canary")));
}

TEST_F(ConfigLoad, TheEnvironmentsLabelHasAnOrder) {
    env_.variables["APP_ENV"] = "app";
    EXPECT_EQ(load("").environment, "app");
    EXPECT_EQ(load("").environment_origin, "APP_ENV");
    env_.variables["BKHOST_ENVIRONMENT"] = "own";
    EXPECT_EQ(load("").environment, "own");
    EXPECT_EQ(load("").environment_origin, "BKHOST_ENVIRONMENT");
    EXPECT_EQ(load("environment: file").environment, "file");
    const Config option = load("environment: file", "option");
    EXPECT_EQ(option.environment, "option");
    EXPECT_EQ(option.environment_origin, "--environment");
}

TEST_F(ConfigLoad, ALabelThatIsNoneIsRefusedWhereverItComesFrom) {
    EXPECT_THAT(error_of([&] { (void)load("", "No Label"); }),
                HasSubstr("the environment that --environment gives is no label"));
    EXPECT_THAT(error_of([&] { (void)load("", ""); }), HasSubstr("--environment"));
    env_.variables["APP_ENV"] = "Staging/1";
    EXPECT_THAT(error(""), HasSubstr("the environment that APP_ENV gives is no label"));
    EXPECT_EQ(load("environment: file").environment, "file"); // APP_ENV is not looked at
}

TEST_F(ConfigLoad, TheCatalogFollowsXdg) {
    env_.variables["XDG_STATE_HOME"] = "/state";
    EXPECT_EQ(load("").catalog_path, "/state/bkhost/catalog.db");
    env_.variables.clear();
    EXPECT_THAT(error(""), HasSubstr("no place for the catalog: HOME is not set"));
    EXPECT_EQ(load("catalog: /c.db").catalog_path, "/c.db");
    EXPECT_THAT(error("catalog: ~/c.db"), HasSubstr(":1: catalog: HOME is not set"));
}

TEST_F(ConfigLoad, LookUpsNameTheNearest) {
    const Config config = load("storages: {offsite: {driver: local}}\nsources: {}\n");
    EXPECT_EQ(config.storage("offsite").name, "offsite");
    EXPECT_EQ(error_of([&] { (void)config.storage("ofsite"); }),
              "no storage 'ofsite' in " + path_ + "; did you mean 'offsite'?");
    EXPECT_THAT(error_of([&] { (void)config.storage("zzzzzz"); }), HasSubstr("there are: offsite"));
    EXPECT_THAT(error_of([&] { (void)config.source("x"); }), HasSubstr("none is configured"));
    EXPECT_THAT(error_of([&] { (void)Config{}.job("x"); }), HasSubstr("no file was found"));
}

TEST(ConfigNames, Rules) {
    for (const char* good : {"a", "A.b_c-9", "9"})
        EXPECT_TRUE(is_config_name(good)) << good;
    for (const char* bad : {"", ".a", "a/b", "a b", "\xc3\xa4", "a\n"})
        EXPECT_FALSE(is_config_name(bad)) << bad;
    EXPECT_TRUE(is_config_name(std::string(64, 'a')));
    EXPECT_FALSE(is_config_name(std::string(65, 'a')));
    for (const char* good : {"production", "eu-1_a"})
        EXPECT_TRUE(is_environment_label(good)) << good;
    for (const char* bad : {"", "Prod", "a.b", "a b"})
        EXPECT_FALSE(is_environment_label(bad)) << bad;
}

} // namespace
} // namespace bkhost
