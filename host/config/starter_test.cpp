// The starter and the samples are good configurations.
#include "host/config/starter.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include <sys/resource.h>

namespace bkhost {
namespace {

using testing::HasSubstr;

std::string content_of(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(Starter, IsWrittenForItsOwnerOnlyAndNeverOverItself) {
    const TempFolder folder;
    const std::string path = folder.path("bkhost.yaml");
    write_starter(path);
    EXPECT_EQ(content_of(path), starter_text());
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);

    folder.write("bkhost.yaml", "mine");
    try {
        write_starter(path);
        FAIL() << "overwritten";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_EXISTS);
        EXPECT_THAT(error.message(), HasSubstr("'" + path + "' exists and stays as it is"));
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_EQ(content_of(path), "mine");
}

TEST(Starter, ADanglingLinkIsNotFollowed) {
    const TempFolder folder;
    std::filesystem::create_symlink(folder.path("elsewhere"), folder.path("link"));
    EXPECT_THROW(write_starter(folder.path("link")), bk::Error);
    EXPECT_FALSE(std::filesystem::exists(folder.path("elsewhere")));
}

TEST(Starter, AFolderThatIsMissingIsNamed) {
    const TempFolder folder;
    const std::string path = folder.path("none/bkhost.yaml");
    EXPECT_THAT(error_of([&] { write_starter(path); }), HasSubstr("cannot write '" + path + "'"));
}

TEST(Starter, AWriteThatFailsLeavesNoFile) {
    const TempFolder folder;
    const std::string path = folder.path("bkhost.yaml");
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{100, before.rlim_max};
    ::signal(SIGXFSZ, SIG_IGN);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string error = error_of([&] { write_starter(path); });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    ::signal(SIGXFSZ, SIG_DFL);
    EXPECT_THAT(error, HasSubstr("cannot write '" + path + "'"));
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Starter, IsGoodOnceItsOneLineIsEdited) {
    const TempFolder folder;
    TestEnvironment env{{{"HOME", "/home/me"}}};
    std::string text(starter_text());
    const std::string line = "path: /path/to/your/app.db        # <- change this line";
    const size_t at = text.find(line);
    ASSERT_NE(at, std::string::npos);
    text.replace(at, line.size(), "path: /srv/app.db");
    const std::string path = folder.write("bkhost.yaml", text);
    EXPECT_EQ(complaints(path, env.get()), "");
    const Config config = load_config(path, env.get());
    EXPECT_EQ(config.job("app").source, "app");
}

TEST(Starter, WhatItsCommentsShowIsGoodToo) {
    const TempFolder folder;
    TestEnvironment env{{{"HOME", "/home/me"}}};
    std::istringstream lines{std::string(starter_text())};
    std::string text;
    for (std::string line; std::getline(lines, line);) { // uncomment what is YAML
        const size_t mark = line.find("# ");
        const bool key =
            mark != std::string::npos && line.find_first_not_of(' ') == mark &&
            line.find_first_of(":{") != std::string::npos &&
            line.find("Check") == std::string::npos && line.find("drivers:") == std::string::npos &&
            line.find("backup:") == std::string::npos && line.find("stands") == std::string::npos &&
            line.find("archives:") == std::string::npos;
        if (key) line.erase(mark, 2);
        text += line + "\n";
    }
    EXPECT_THAT(text, HasSubstr("\n    encrypt: {driver: age"));
    EXPECT_THAT(text, HasSubstr("\n  shop:\n    driver: postgres"));
    EXPECT_THAT(text, HasSubstr("\ndecrypt:\n  - {driver: age"));
    EXPECT_EQ(complaints(folder.write("f.yaml", text), env.get()), "");
}

TEST(Samples, AllOfTheFolderAreGood) {
    TestEnvironment env{{{"HOME", "/home/me"}}};
    int count = 0;
    for (const auto& file : std::filesystem::directory_iterator(BKHOST_EXAMPLES_DIR)) {
        if (file.path().extension() != ".yaml") continue;
        EXPECT_EQ(complaints(file.path().string(), env.get()), "") << file.path();
        ++count;
    }
    EXPECT_GE(count, 2);
}

TEST(Samples, TheCompleteExampleOfTheReadmeIsGood) {
    const std::string readme =
        content_of(std::string(BKHOST_EXAMPLES_DIR) + "/../host/config/README.md");
    const std::string fence = "```yaml\n";
    const size_t begin = readme.find(fence);
    ASSERT_NE(begin, std::string::npos);
    const size_t end = readme.find("```", begin + fence.size());
    const TempFolder folder;
    const std::string path =
        folder.write("f.yaml", readme.substr(begin + fence.size(), end - begin - fence.size()));
    EXPECT_EQ(complaints(path, TestEnvironment{{{"HOME", "/home/me"}}}.get()), "");
}

} // namespace
} // namespace bkhost
