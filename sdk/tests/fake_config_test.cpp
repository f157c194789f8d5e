// The fake configuration checks options as the host does; each refusal is forced here.
#include <bkhost/testing/fake_config.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

constexpr bk_option kOptions[] = {
    bk::option("path", BK_OPT_PATH, "where", nullptr, nullptr, BK_OPT_REQUIRED),
    bk::option("level", BK_OPT_INT, "how hard", "3", "-5..22"),
    bk::option("part-size", BK_OPT_SIZE, "a part", "8MiB", "5MiB..5GiB"),
    bk::option("timeout", BK_OPT_DURATION, "how long", "60s"),
    bk::option("fsync", BK_OPT_BOOL, "be sure", "yes"),
    bk::option("mode", BK_OPT_ENUM, "how", "fast", "safe|fast|odd"),
    bk::option("recipient", BK_OPT_STRING, "who", nullptr, nullptr, BK_OPT_REPEATED),
    bk::option("token", BK_OPT_SECRET, "key"),
};

std::string refusal(const bk::FakeConfig::Values& given) {
    bk::FakeConfig::Values values = given;
    values.insert({"path", {"/p"}});
    try {
        const bk::FakeConfig config(values, kOptions);
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CONFIG);
        return error.message();
    }
    return "accepted";
}

TEST(FakeConfig, FillsInTheDefaults) {
    const bk::FakeConfig fake({{"path", {"/p"}}}, kOptions);
    const bk::Config config = fake.config();
    EXPECT_EQ(config.text("path"), "/p");
    EXPECT_EQ(config.number("level"), 3);
    EXPECT_EQ(config.number("part-size"), 8 << 20);
    EXPECT_EQ(config.number("timeout"), 60'000);
    EXPECT_TRUE(config.flag("fsync"));
    EXPECT_EQ(config.number("mode"), 1);
    EXPECT_FALSE(config.has("token"));
    EXPECT_EQ(config.text("token"), "");
    EXPECT_EQ(config.count("recipient"), 0u);
}

TEST(FakeConfig, GivesWhatWasSet) {
    const bk::FakeConfig fake({{"path", {"/p"}},
                               {"level", {"-5"}},
                               {"part-size", {"5GiB"}},
                               {"timeout", {"250ms"}},
                               {"fsync", {"off"}},
                               {"mode", {"odd"}},
                               {"recipient", {"a", "b"}}},
                              kOptions);
    const bk::Config config = fake.config();
    EXPECT_EQ(config.number("level"), -5);
    EXPECT_EQ(config.number("part-size"), int64_t{5} << 30);
    EXPECT_EQ(config.number("timeout"), 250);
    EXPECT_FALSE(config.flag("fsync"));
    EXPECT_EQ(config.number("mode"), 2);
    EXPECT_THAT(config.list("recipient"), testing::ElementsAre("a", "b"));
    EXPECT_EQ(config.get()->get_str(config.get(), "recipient", 2), nullptr);
    EXPECT_EQ(config.get()->get_int(config.get(), "unknown", 0), 0);
}

TEST(FakeConfig, RefusesWhatTheHostWouldRefuse) {
    EXPECT_EQ(refusal({}), "accepted");
    EXPECT_EQ(refusal({{"levle", {"1"}}}), "option 'levle': no such option");
    EXPECT_EQ(refusal({{"level", {"1", "2"}}}), "option 'level': takes one value only");
    EXPECT_EQ(refusal({{"level", {"23"}}}), "option 'level': '23' is outside -5..22");
    EXPECT_EQ(refusal({{"level", {"-6"}}}), "option 'level': '-6' is outside -5..22");
    EXPECT_EQ(refusal({{"level", {"3x"}}}), "option 'level': '3x' is not a number of its type");
    EXPECT_EQ(refusal({{"level", {""}}}), "option 'level': '' is not a number of its type");
    EXPECT_EQ(refusal({{"part-size", {"4MiB"}}}),
              "option 'part-size': '4MiB' is outside 5MiB..5GiB");
    EXPECT_EQ(refusal({{"part-size", {"99999999999TiB"}}}),
              "option 'part-size': '99999999999TiB' is not a number of its type");
    EXPECT_EQ(refusal({{"timeout", {"5"}}}), "option 'timeout': '5' is not a number of its type");
    EXPECT_EQ(refusal({{"timeout", {"-5s"}}}),
              "option 'timeout': '-5s' is not a number of its type");
    EXPECT_EQ(refusal({{"fsync", {"maybe"}}}), "option 'fsync': 'maybe' is neither true nor false");
    EXPECT_EQ(refusal({{"mode", {"fas"}}}), "option 'mode': 'fas' is none of safe|fast|odd");
    EXPECT_EQ(refusal({{"mode", {""}}}), "option 'mode': '' is none of safe|fast|odd");
}

TEST(FakeConfig, RefusesAMissingRequiredOption) {
    EXPECT_THROW(bk::FakeConfig({}, kOptions), bk::Error);
}

} // namespace
