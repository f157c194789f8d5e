// Damaged configurations: whatever the bytes, there is a configuration or an error with the file's
// name, and a secret that stands in the file is in no error.
#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kConfig = R"(# a comment
environment: ${LABEL:-production}
catalog: "/var/lib/bkhost/catalog.db"
memory: 128MiB
storages:
  here: &here {driver: local, path: /b, part-size: 8MiB}
  there: {driver: local, path: '/c', require-marker: yes}
sources:
  shop:
    driver: postgres
    host: db
    port: 5432
    mode: safe
    password: {env: PW}
    schema: [public, "other"]
    extra: {a: [1, 2.5, true, null], "b": {}}
    user: |
      bk
jobs:
  shop:
    source: shop
    store: [here, there]
    volume-size: unlimited
    compress: {driver: zstd, level: 3}
    encrypt: {driver: age, recipients: [a, b]}
decrypt:
  - driver: age
    identity-files: /none
)";

std::string mutated(std::mt19937& random, std::string text) {
    static constexpr std::string_view kPieces[]{
        "{", "}",  "[", "]", ": ", "- ", "\n",    "\"",   "'",  "&a", "*a", "!x", "|",  ">",
        "%", "${", "$", "#", "\t", "?",  "---\n", "\xff", "<<", "\r", ",",  "0",  "  ", "~"};
    const auto below = [&](size_t n) {
        return static_cast<size_t>(random() % std::max<size_t>(n, 1));
    };
    for (size_t changes = 1 + below(6); changes > 0; --changes) {
        const size_t at = below(text.size());
        switch (below(6)) {
        case 0: text.erase(at, 1 + below(20)); break;
        case 1: text.insert(at, kPieces[below(std::size(kPieces))]); break;
        case 2: text[at] = static_cast<char>(random()); break;
        case 3: text.resize(at + 1); break;
        case 4: text.insert(at, text.substr(below(text.size()), below(60))); break;
        default: text.replace(at, 1, kPieces[below(std::size(kPieces))]); break;
        }
        if (text.empty()) text = " ";
    }
    return text;
}

class Garbage : public testing::Test {
protected:
    Garbage() { env_.variables = {{"HOME", "/home/me"}, {"PW", "canary"}}; }

    /// All that is said of the text; resolve is tried too, for what is good.
    std::string said(const std::string& text, mode_t mode = 0600) {
        const std::string path = folder_.write("f.yaml", text, mode);
        return error_of([&] {
            const Config config = load_config(path, env_.get());
            throw_problems(check_config(config, registry_));
            for (const SourceConfig& source : config.sources)
                (void)resolve(source.block, registry_.options(kDumper, source.block.driver),
                              env_.get());
        });
    }

    /// Whatever the text, the answer is that it is good, or an error that names the file.
    bool is_clear(const std::string& answer) const {
        return answer == "nothing thrown" || answer.find("f.yaml") != std::string::npos;
    }

    TempFolder folder_;
    TestEnvironment env_;
    TestRegistry registry_;
};

TEST_F(Garbage, TheSampleItselfIsGood) { EXPECT_EQ(said(std::string(kConfig)), "nothing thrown"); }

TEST_F(Garbage, TwoThousandMutationsNeverCrash) {
    std::mt19937 random(20260211);
    int good = 0;
    for (int i = 0; i < 2000; ++i) {
        const std::string text = mutated(random, std::string(kConfig));
        const std::string answer = said(text); // anything but a bk::Error ends the test
        EXPECT_TRUE(is_clear(answer)) << answer << "\n" << text;
        good += answer == "nothing thrown" ? 1 : 0;
    }
    EXPECT_GT(good, 20);   // comments, spaces, texts
    EXPECT_LT(good, 1500); // and most are noticed
}

TEST_F(Garbage, RandomBytesNeverCrash) {
    std::mt19937 random(4711);
    for (int i = 0; i < 500; ++i) {
        std::string text(random() % 400, '\0');
        for (char& c : text)
            c = static_cast<char>(i % 2 == 0 ? random() : 0x20 + random() % 0x5f);
        EXPECT_TRUE(is_clear(said(text))) << text;
    }
}

TEST_F(Garbage, ACutAnywhereNeverCrashes) {
    const std::string whole(kConfig);
    for (size_t size = 0; size < whole.size(); ++size)
        EXPECT_TRUE(is_clear(said(whole.substr(0, size)))) << size;
}

TEST_F(Garbage, ASecretIsInNoError) {
    // Many ways to write a password, right and wrong, next to a fault.
    const std::string passwords[]{"canary",
                                  "'canary'",
                                  "\"canary\"",
                                  "[canary]",
                                  "{env: PW}",
                                  "${PW}",
                                  "{canary}",
                                  "{canary: canary}",
                                  "{env: [canary]}",
                                  "[canary, canary]",
                                  "canary: x",
                                  "*canary",
                                  "!canary x",
                                  "&canary",
                                  "|\n      canary",
                                  "ca$canary",
                                  "{command: [false, canary]}",
                                  "{command: [sh, -c, 'echo canary; echo canary >&2; exit 1']}",
                                  "{command: [sh, -c, 'echo canary']}",
                                  "{command: canary}"};
    const std::string faults[]{"",
                               "port: x",
                               "port: {env: PW}",
                               "port: '${PW}'",
                               "mode: {env: PW}",
                               "extra: {env: PW}",
                               "extra: '${PW}'",
                               "pasword: canary",
                               "schema: []",
                               "schema: [{env: PW}, {env: NONE}]",
                               "host:",
                               "password: canary",
                               "user: {canary: {canary: canary}}",
                               "database: [[canary]]"};
    for (const std::string& password : passwords)
        for (const std::string& fault : faults)
            for (mode_t mode : {0600, 0644}) {
                const std::string text =
                    "sources:\n  shop:\n    driver: postgres\n    password: " + password +
                    "\n    " + fault + "\n";
                EXPECT_THAT(said(text, mode), Not(HasSubstr("canary"))) << text;
            }
}

} // namespace
} // namespace bkhost
