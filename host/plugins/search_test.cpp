#include "host/plugins/search.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::EndsWith;

std::vector<std::string> paths(const SearchSources& sources) {
    std::vector<std::string> all;
    for (const SearchDir& dir : search_order(sources))
        all.push_back(dir.path);
    return all;
}

const SearchSources kSources{
    {"/cli/1", "/cli/2"}, "/env/1::/env/2", {"/config"}, "/user", "/system", "/tree"};

TEST(Search, OrderIsFromTheCommandLineToTheBuildTree) {
    EXPECT_THAT(paths(kSources), ElementsAre("/cli/1", "/cli/2", "/env/1", "/env/2", "/config",
                                             "/user", "/system", "/tree"));
    EXPECT_TRUE(search_order(kSources).front().required);
    EXPECT_FALSE(search_order(kSources).back().required);
}

TEST(Search, PrivilegedLeavesEnvironmentAndUserOut) {
    SearchSources sources = kSources;
    sources.privileged = true;
    EXPECT_THAT(paths(sources), ElementsAre("/cli/1", "/cli/2", "/config", "/system", "/tree"));
}

TEST(Search, EachDirectoryOnceAndAbsolute) {
    EXPECT_THAT(paths({{"/a/", "/a/../a", "."}, "", {"/a"}, "", "/a", ""}),
                ElementsAre("/a", std::filesystem::current_path().string()));
}

TEST(Search, ThisProcessIsNotPrivileged) { EXPECT_FALSE(running_privileged()); }

/// Sets a variable for the time of a test.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) {
        if (const char* before = std::getenv(name)) before_ = before;
        value != nullptr ? ::setenv(name, value, 1) : ::unsetenv(name);
    }
    ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }

private:
    const char* name_;
    std::optional<std::string> before_;
};

TEST(Search, UserDirectoryFollowsTheBaseDirectoryRules) {
    const Variable home("HOME", "/home/u");
    {
        const Variable data("XDG_DATA_HOME", "/data");
        EXPECT_EQ(user_plugin_dir(), "/data/bkhost/plugins-0");
    }
    {
        const Variable data("XDG_DATA_HOME", "relative");
        EXPECT_EQ(user_plugin_dir(), "/home/u/.local/share/bkhost/plugins-0");
    }
    const Variable data("XDG_DATA_HOME", nullptr);
    EXPECT_EQ(user_plugin_dir(), "/home/u/.local/share/bkhost/plugins-0");
    const Variable nowhere("HOME", nullptr);
    EXPECT_EQ(user_plugin_dir(), "");
}

TEST(Search, CompiledAndBuildTreeDirectories) {
    EXPECT_THAT(system_plugin_dir(), EndsWith("/bkhost/plugins-0"));
    EXPECT_THAT(build_tree_plugin_dir(), EndsWith("/plugins-0"));
}

} // namespace
} // namespace bkhost
