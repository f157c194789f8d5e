// Trust and plugins.lock: what may be run at all.
#include "host/plugins/lock_file.hpp"
#include "host/plugins/plugin_file.hpp"

#include "core/base/digest.hpp"
#include "host/plugins/testdata/plugin_dir.hpp"

#include <bkhost/error.hpp>

#include <gmock/gmock.h>

#include <unistd.h>

namespace bkhost {
namespace {

using testing::HasSubstr;

struct PluginFileTest : testing::Test {
    test::TempDir dir;
    std::string path = test::install("test_good", dir.path());

    [[nodiscard]] std::string distrust(bool privileged = false) const {
        return PluginFile(path).distrust(privileged);
    }
    void mode(const std::string& what, mode_t bits) const {
        ASSERT_EQ(::chmod(what.c_str(), bits), 0);
    }
};

TEST_F(PluginFileTest, OwnFileInOwnDirectoryBelowAStickyOneIsTrusted) { EXPECT_EQ(distrust(), ""); }

TEST_F(PluginFileTest, WritableByOthersIsNot) {
    mode(path, 0664);
    EXPECT_THAT(distrust(), HasSubstr("it may be written to by others"));
    mode(path, 0646);
    EXPECT_THAT(distrust(), HasSubstr("it may be written to by others"));
}

TEST_F(PluginFileTest, InADirectoryWritableByOthersIsNot) {
    mode(dir.path(), 0775);
    EXPECT_THAT(distrust(), HasSubstr("its directory '" + dir.path() + "' may be written to"));
    mode(dir.path(), 01777); // sticky does not help where the plugin itself lies
    EXPECT_THAT(distrust(), HasSubstr("may be written to"));
}

TEST_F(PluginFileTest, BelowADirectoryInWhichOthersCanExchangeItIsNot) {
    path = test::install("test_good", dir.make("below"));
    EXPECT_EQ(distrust(), "");
    mode(dir.path(), 0777);
    EXPECT_THAT(distrust(), HasSubstr("may be written to"));
    mode(dir.path(), 01777);
    EXPECT_EQ(distrust(), "");
    mode(dir.path(), 0775);
    EXPECT_EQ(distrust(), "");
}

TEST_F(PluginFileTest, OfAnotherUserIsNot) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
    ASSERT_EQ(::chown(path.c_str(), 12345, 0), 0);
    EXPECT_THAT(distrust(), HasSubstr("it belongs to user 12345"));
    ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
    ASSERT_EQ(::chown(dir.path().c_str(), 12345, 0), 0);
    EXPECT_THAT(distrust(), HasSubstr("its directory '" + dir.path() + "' belongs to user 12345"));
}

TEST_F(PluginFileTest, OfTheCallerIsNotWhenPrivileged) {
    if (::geteuid() != 0) {
        EXPECT_THAT(distrust(true), HasSubstr("not to root"));
        return;
    }
    EXPECT_EQ(distrust(true), "");
    ASSERT_EQ(::chown(dir.path().c_str(), 12345, 0), 0);
    ASSERT_EQ(::chown(path.c_str(), 12345, 0), 0);
    ASSERT_EQ(::seteuid(12345), 0);
    const std::string as_user = distrust(false);
    const std::string privileged = distrust(true);
    ASSERT_EQ(::seteuid(0), 0);
    EXPECT_EQ(as_user, "");
    EXPECT_THAT(privileged, HasSubstr("not to root"));
}

TEST_F(PluginFileTest, ASymbolicLinkIsJudgedByWhereItLeads) {
    const std::string open = dir.make("open");
    const std::string target = test::install("test_good", open);
    mode(open, 0777);
    const std::string link = dir / "link.so";
    std::filesystem::create_symlink(target, link);
    const PluginFile file(link);
    EXPECT_EQ(file.real_path(), target);
    EXPECT_THAT(file.distrust(false), HasSubstr("may be written to"));
}

TEST_F(PluginFileTest, IdentityChangesWithTheContentAndWithTheFile) {
    const FileId before = PluginFile(path).id();
    EXPECT_EQ(PluginFile(path).id(), before);
    test::write_file(path, "other");
    EXPECT_NE(PluginFile(path).id(), before);
}

TEST_F(PluginFileTest, WhatCannotBeOpenedThrows) {
    EXPECT_THROW(PluginFile(dir / "absent.so"), bk::Error);
    EXPECT_THROW(PluginFile(dir.path()), bk::Error);
    ASSERT_EQ(::mkfifo((dir / "fifo.so").c_str(), 0600), 0);
    EXPECT_THROW(PluginFile(dir / "fifo.so"), bk::Error);
    std::filesystem::create_symlink(dir / "absent.so", dir / "dangling.so");
    EXPECT_THROW(PluginFile(dir / "dangling.so"), bk::Error);
}

TEST_F(PluginFileTest, SumIsThatOfTheWholeFile) {
    const std::string text = test::read_file(path);
    EXPECT_EQ(PluginFile(path).sha256(), sha256_hex(as_bytes(text)));
    const PluginFile file(path);
    std::filesystem::resize_file(path, 10);
    EXPECT_THROW(static_cast<void>(file.sha256()), bk::Error);
}

struct LockFileTest : PluginFileTest {
    [[nodiscard]] std::string refusal(const std::string& text) const {
        test::write_file(dir / "plugins.lock", text);
        const auto lock = LockFile::find(dir.path(), false);
        return lock ? lock->refusal("test_good.so", PluginFile(path)) : "no lock";
    }
    std::string sum = sha256_hex(as_bytes(test::read_file(path)));
};

TEST_F(LockFileTest, IsOptional) { EXPECT_FALSE(LockFile::find(dir.path(), false)); }

TEST_F(LockFileTest, AcceptsOnlyWhatItListsWithTheSameSum) {
    EXPECT_EQ(refusal("# ours\n" + sum + "  test_good.so\n"), "");
    EXPECT_EQ(refusal(sum + " *test_good.so\n"), "");
    EXPECT_THAT(refusal(sum + "  another.so\n"), HasSubstr("does not list it"));
    EXPECT_THAT(refusal(""), HasSubstr("does not list it"));
    EXPECT_THAT(refusal(std::string(64, '0') + "  test_good.so\n"), HasSubstr("its SHA-256 is"));
}

TEST_F(LockFileTest, ADamagedOneRefusesEverything) {
    EXPECT_THAT(refusal(sum + "  test_good.so\nrubbish\n"), HasSubstr("malformed"));
    EXPECT_THAT(refusal(std::string(64, 'x') + "  test_good.so\n"), HasSubstr("malformed"));
    EXPECT_THAT(refusal(sum + "  ../test_good.so\n"), HasSubstr("malformed"));
    EXPECT_THAT(refusal(sum + "  test_good.so\n" + sum + "  test_good.so\n"),
                HasSubstr("repeated"));
    EXPECT_THAT(refusal(std::string(2 << 20, '#')), HasSubstr("too large"));
}

TEST_F(LockFileTest, OneThatOthersCanWriteRefusesEverything) {
    test::write_file(dir / "plugins.lock", sum + "  test_good.so\n");
    mode(dir / "plugins.lock", 0666);
    EXPECT_THAT(LockFile::find(dir.path(), false)->refusal("test_good.so", PluginFile(path)),
                HasSubstr("not trusted"));
}

TEST_F(LockFileTest, OneThatIsNoFileRefusesEverything) {
    dir.make("plugins.lock");
    EXPECT_THAT(LockFile::find(dir.path(), false)->refusal("test_good.so", PluginFile(path)),
                HasSubstr("not a regular file"));
}

} // namespace
} // namespace bkhost
