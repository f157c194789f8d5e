#include "stale.hpp"

#include "storage_fixture.hpp"
#include "syscall_faults.hpp"
#include "temp_file.hpp"

#include <fcntl.h>
#include <sys/wait.h>

namespace local {
namespace {

using testing::ElementsAre;

class StaleTest : public StorageTest {
protected:
    StaleTest() { store().probe(nullptr); }

    /// What a killed process leaves: the file, and no lock.
    fs::path leftover(const std::string& key, int age_s = 0) const {
        const fs::path target = root / key;
        const fs::path path = target.parent_path() / make_temp_name(target.filename().string());
        write_file(path);
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::seconds(age_s));
        return path;
    }
};

TEST_F(StaleTest, LeftoversGoAndLiveUploadsStay) {
    put("done/object");
    const auto live = store().upload("live/key", when(BK_PUT_ALWAYS));
    leftover("dead/key");
    leftover("live/key");
    leftover("top");
    EXPECT_EQ(store().abort_stale("", 0), 3u);
    EXPECT_EQ(files().size(), 4u); // done/, done/object, live/ and the live upload's file
    live->commit({});
    EXPECT_EQ(files(), (std::vector<std::string>{"done/", "done/object", "live/", "live/key"}));
    EXPECT_EQ(store().abort_stale("", 0), 0u);
}

TEST_F(StaleTest, AKilledProcessLeavesWhatIsSwept) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto upload = open()->storage.upload("a/b", when(BK_PUT_ALWAYS));
        ::_exit(0); // no destructor runs, as with SIGKILL
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(files().size(), 2u);
    EXPECT_TRUE(keys().empty());
    EXPECT_EQ(store().abort_stale("a/", 0), 1u);
    EXPECT_TRUE(files().empty());
}

TEST_F(StaleTest, YoungOnesStay) {
    leftover("young", 50);
    leftover("old", 70);
    EXPECT_EQ(store().abort_stale("", 60'000), 1u);
    ASSERT_EQ(files().size(), 1u);
    EXPECT_TRUE(files()[0].starts_with(".young."));
}

TEST_F(StaleTest, OnlyThoseUnderThePrefixGo) {
    for (const char* key : {"a/b/one", "a/b/two", "a/bc/x", "a/c", "ab", "b/x"})
        leftover(key);
    EXPECT_EQ(store().abort_stale("a/b/o", 0), 1u);
    EXPECT_EQ(store().abort_stale("a/b", 0), 2u);
    EXPECT_FALSE(fs::exists(root / "a/b"));
    EXPECT_EQ(store().abort_stale("a", 0), 2u);
    EXPECT_EQ(store().abort_stale("absent/x", 0), 0u);
    EXPECT_EQ(store().abort_stale("", 0), 1u);
    EXPECT_TRUE(files().empty());
    EXPECT_FAILS(BK_E_INVALID, "..", store().abort_stale("../", 0));
}

TEST_F(StaleTest, ForeignFilesStay) {
    write_file(root / ".download.part");
    write_file(root / "a/.x.1-12.part");
    fs::create_directory(root / make_temp_name("folder"));
    fs::create_symlink(base / "elsewhere", root / make_temp_name("link"));
    const auto before = files();
    EXPECT_EQ(store().abort_stale("", 0), 0u);
    EXPECT_EQ(files(), before);
}

TEST_F(StaleTest, EmptyDirectoriesThatHeldNoLeftoverStay) {
    fs::create_directories(root / "made/by/hand");
    leftover("x/y");
    EXPECT_EQ(store().abort_stale("", 0), 1u);
    EXPECT_THAT(files(), ElementsAre("made/", "made/by/", "made/by/hand/"));
}

TEST_F(StaleTest, AnUnreadableDirectoryIsAnError) {
    if (::geteuid() == 0 && ::chown(root.c_str(), 65534, 65534) != 0) GTEST_SKIP();
    const AsNobody nobody;
    put("a/x");
    fs::permissions(root / "a", fs::perms::none);
    EXPECT_FAILS(BK_E_DENIED, (root / "a").string(), store().abort_stale("", 0));
    fs::permissions(root / "a", fs::perms::owner_all);
}

TEST_F(StaleTest, AnUploadSweptBeforeItHasItsLockTakesAnotherFile) {
    SyscallFaults faults;
    int locks = 0;
    faults.on_lock = [&](const std::string& path) {
        if (++locks == 1) fs::remove(path);  // the sweep comes between creation and lock
        return locks == 2 ? EWOULDBLOCK : 0; // and here it still holds the lock
    };
    put("a", "text");
    EXPECT_EQ(locks, 3);
    EXPECT_EQ(get("a"), "text");
}

} // namespace
} // namespace local
