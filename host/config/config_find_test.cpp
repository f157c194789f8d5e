// Which file is read, in which order, and which are refused.
#include "host/config/config_find.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace bkhost {
namespace {

using testing::HasSubstr;

class ConfigFind : public testing::Test {
protected:
    ConfigFind() : before_(std::filesystem::current_path()) {
        std::filesystem::create_directories(folder_.path("work"));
        std::filesystem::current_path(folder_.path("work"));
        env_.variables = {{"HOME", folder_.path("home")}};
    }
    ~ConfigFind() override { std::filesystem::current_path(before_); }

    ConfigFile find(const std::optional<std::string>& named = {}) {
        return find_config_file(named, env_.get());
    }

    TempFolder folder_;
    TestEnvironment env_;
    std::filesystem::path before_;
};

TEST_F(ConfigFind, TheFirstOfTheOrderWins) {
    if (std::filesystem::exists("/etc/bkhost/bkhost.yaml")) GTEST_SKIP() << "this host has one";
    EXPECT_EQ(find().path, "");
    folder_.write("home/.config/bkhost/bkhost.yaml", "# home");
    EXPECT_EQ(find().text, "# home");
    folder_.write("xdg/bkhost/bkhost.yaml", "# xdg");
    env_.variables["XDG_CONFIG_HOME"] = folder_.path("xdg");
    EXPECT_EQ(find().text, "# xdg");
    folder_.write("work/bkhost.yaml", "# here");
    EXPECT_EQ(find().text, "# here");
    EXPECT_EQ(find().path, "./bkhost.yaml");
    env_.variables["BKHOST_CONFIG"] = folder_.write("variable.yaml", "# variable");
    EXPECT_EQ(find().text, "# variable");
    EXPECT_EQ(find(folder_.write("option.yaml", "# option")).text, "# option");
}

TEST_F(ConfigFind, ARelativeXdgFolderIsIgnored) {
    folder_.write("home/.config/bkhost/bkhost.yaml", "# home");
    folder_.write("work/xdg/bkhost/bkhost.yaml", "# xdg");
    env_.variables["XDG_CONFIG_HOME"] = "xdg";
    EXPECT_EQ(find().text, "# home");
}

TEST_F(ConfigFind, ANamedFileMustBeThere) {
    folder_.write("work/bkhost.yaml", "# here");
    const std::string missing = folder_.path("no.yaml");
    try {
        (void)find(missing);
        FAIL() << "found";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_NOT_FOUND);
        EXPECT_THAT(error.message(), HasSubstr("'" + missing + "'"));
        EXPECT_THAT(error.hint(), HasSubstr("--config"));
    }
    env_.variables["BKHOST_CONFIG"] = missing;
    EXPECT_THAT(error_of([&] { (void)find(); }), HasSubstr("it was named by BKHOST_CONFIG"));
    env_.variables["BKHOST_CONFIG"] = "";
    EXPECT_EQ(find().text, "# here");
}

TEST_F(ConfigFind, WhatOthersMayWriteIsRefused) {
    const std::string path = folder_.write("open.yaml", "", 0666);
    EXPECT_THAT(error_of([&] { (void)find(path); }), HasSubstr("everybody may write to"));
    EXPECT_FALSE(find(folder_.write("shared.yaml", "", 0664)).owner_only);
    EXPECT_FALSE(find(folder_.write("group.yaml", "", 0640)).owner_only);
    EXPECT_TRUE(find(folder_.write("own.yaml", "", 0600)).owner_only);
}

TEST_F(ConfigFind, AStrangersFileInThisFolderIsRefusedUnlessNamed) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
    const std::string path = folder_.write("work/bkhost.yaml", "# theirs", 0644);
    ASSERT_EQ(::chown(path.c_str(), 12345, 12345), 0);
    EXPECT_THAT(error_of([&] { (void)find(); }), HasSubstr("belongs neither to you nor to root"));
    EXPECT_EQ(find(path).text, "# theirs");
}

TEST_F(ConfigFind, AFolderAndATooLongFileAreRefused) {
    EXPECT_THAT(error_of([&] { (void)find(folder_.path("work")); }), HasSubstr("is a folder"));
    const std::string big = folder_.write("big.yaml", std::string((1u << 20) + 1, '#'));
    EXPECT_THAT(error_of([&] { (void)find(big); }), HasSubstr("is larger than 1024 KiB"));
}

TEST_F(ConfigFind, AnUnreadableFileIsNotAsIfThereWereNone) {
    folder_.write("work/bkhost.yaml", "# here");
    ::chmod(folder_.path("work/bkhost.yaml").c_str(), 0);
    if (::access("bkhost.yaml", R_OK) == 0) GTEST_SKIP() << "root reads everything";
    EXPECT_THAT(error_of([&] { (void)find(); }), HasSubstr("Permission denied"));
}

TEST_F(ConfigFind, PathsArePlaced) {
    const auto place = [&](const std::string& path) {
        return placed_path(path, "/etc/bkhost", env_.get());
    };
    EXPECT_EQ(place("/a/b"), "/a/b");
    EXPECT_EQ(place("a/../b"), "/etc/bkhost/b");
    EXPECT_EQ(place("~/a"), folder_.path("home/a"));
    EXPECT_EQ(place("~a"), "/etc/bkhost/~a");
    env_.variables.clear();
    EXPECT_THAT(error_of([&] { (void)place("~/a"); }), HasSubstr("HOME is not set"));
}

} // namespace
} // namespace bkhost
