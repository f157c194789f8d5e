// The root directory: the marker, making it, and where it must not lie.
#include "storage_fixture.hpp"

#include <sys/mount.h>

namespace local {
namespace {

using testing::HasSubstr;

class PlaceTest : public StorageTest {};

void expect_reads_fail(LocalStorage& storage, bk_status when_listed, const char* text) {
    const auto ignore = [](const char*, const bk_object&) {
        ADD_FAILURE() << "something was listed";
    };
    EXPECT_FAILS(when_listed, text, storage.list("", nullptr, nullptr, ignore));
    EXPECT_FAILS(when_listed, text, storage.list("a/", nullptr, "/", ignore));
    EXPECT_FAILS(when_listed, text, storage.abort_stale("", 0));
    EXPECT_FAILS(when_listed, text, (void)storage.space());
    // NOT_FOUND would say that this one object is absent.
    EXPECT_FAILS(BK_E_UNAVAILABLE, text, storage.stat("a"));
    EXPECT_FAILS(BK_E_UNAVAILABLE, text, storage.read("a", 0, 1, nullptr));
    EXPECT_FAILS(BK_E_UNAVAILABLE, text, storage.remove("a"));
}

TEST_F(PlaceTest, AMissingRootIsNeverEmpty) {
    expect_reads_fail(store(), BK_E_NOT_FOUND, "does not exist");
    EXPECT_FALSE(fs::exists(root));
}

TEST_F(PlaceTest, AnUnmarkedRootIsNeverEmpty) {
    fs::create_directory(root);
    expect_reads_fail(store(), BK_E_UNAVAILABLE, "is it mounted?");
    write_file(root / "a");
    expect_reads_fail(store(), BK_E_UNAVAILABLE, "is it mounted?");
}

TEST_F(PlaceTest, ProbeMakesAndMarksTheRoot) {
    store().probe(nullptr);
    EXPECT_TRUE(fs::is_regular_file(root / kMarker));
    EXPECT_EQ(fs::status(root).permissions(), fs::perms::owner_all);
    EXPECT_TRUE(keys().empty());
    EXPECT_TRUE(files().empty()) << "the trial write stayed";
    store().probe(nullptr);
}

TEST_F(PlaceTest, TheFirstWriteMakesAndMarksTheRoot) {
    put("a");
    EXPECT_TRUE(fs::exists(root / kMarker));
    EXPECT_EQ(keys(), std::vector<std::string>{"a"});
}

TEST_F(PlaceTest, ARootThatTheOperatorMadeIsMarkedAtTheFirstWrite) {
    write_file(root / "was here");
    put("a");
    EXPECT_EQ(keys(), (std::vector<std::string>{"a", "was here"}));
}

TEST_F(PlaceTest, CreateFalseRefusesAMissingRoot) {
    const auto storage = open({{"create", {"false"}}});
    EXPECT_FAILS(BK_E_NOT_FOUND, "does not exist", (*storage)->probe(nullptr));
    EXPECT_FAILS(BK_E_NOT_FOUND, "does not exist", (*storage)->put("a", {}, when(BK_PUT_ALWAYS)));
    EXPECT_FALSE(fs::exists(root));
}

TEST_F(PlaceTest, TheParentIsNeverMade) {
    root = base / "mnt" / "store";
    EXPECT_FAILS(BK_E_NOT_FOUND, (base / "mnt").string(), store().probe(nullptr));
    EXPECT_FALSE(fs::exists(base / "mnt"));
}

TEST_F(PlaceTest, RequireMarkerRefusesARootWithoutOne) {
    const auto storage = open({{"require-marker", {"true"}}});
    EXPECT_FAILS(BK_E_UNAVAILABLE, "does not exist", (*storage)->probe(nullptr));
    fs::create_directory(root);
    EXPECT_FAILS(BK_E_UNAVAILABLE, "marker", (*storage)->probe(nullptr));
    EXPECT_FAILS(BK_E_UNAVAILABLE, "marker", (*storage)->put("a", {}, when(BK_PUT_ALWAYS)));
    EXPECT_TRUE(fs::is_empty(root));
    write_file(root / kMarker, "");
    (*storage)->probe(nullptr);
}

TEST_F(PlaceTest, AStorageThatLostItsMountIsNotInitialisedAgain) {
    put("a");
    fs::rename(root, base / "unplugged");
    EXPECT_FAILS(BK_E_UNAVAILABLE, "does not exist", put("b"));
    fs::create_directory(root); // the empty mount point
    EXPECT_FAILS(BK_E_UNAVAILABLE, "is it mounted?", put("b"));
    EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(PlaceTest, AFileIsNoRoot) {
    write_file(root);
    EXPECT_FAILS(BK_E_CONFIG, "not a directory", store().probe(nullptr));
}

TEST_F(PlaceTest, TheRootMayBeReachedThroughALink) {
    fs::create_directory(base / "disk");
    fs::create_directory_symlink(base / "disk", root);
    put("a");
    EXPECT_TRUE(fs::exists(base / "disk" / "a"));
}

TEST_F(PlaceTest, ProbeFailsWhereNothingCanBeWritten) {
    put("a");
    if (::geteuid() == 0)
        fs::permissions(root, fs::perms{0755});
    else
        fs::permissions(root, fs::perms{0555});
    {
        const AsNobody nobody;
        EXPECT_FAILS(BK_E_DENIED, root.string(), store().probe(nullptr));
        EXPECT_FAILS(BK_E_DENIED, root.string(), put("b/c"));
    }
    fs::permissions(root, fs::perms::owner_all);
    EXPECT_EQ(files(), std::vector<std::string>{"a"});
}

TEST_F(PlaceTest, ProbeFailsOnAReadOnlyFileSystem) {
    fs::create_directory(root);
    if (::mount("tmpfs", root.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "cannot mount";
    put("a");
    EXPECT_EQ(::mount("tmpfs", root.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const bk::Error error = error_of([&] { store().probe(nullptr); });
    EXPECT_EQ(error.status(), BK_E_DENIED);
    EXPECT_THAT(error.hint(), HasSubstr("read-write"));
    EXPECT_EQ(::umount2(root.c_str(), MNT_DETACH), 0);
}

// ---- where it must not lie

class SourceTest : public PlaceTest {
protected:
    void expect_refused(const fs::path& source) {
        EXPECT_FAILS(BK_E_CONFIG, "source", open()->storage.probe(source.c_str()));
    }
    void expect_taken(const fs::path& source) { open()->storage.probe(source.c_str()); }
};

TEST_F(SourceTest, ASourceDirectoryMustNotBeOrHoldTheRoot) {
    root = base / "data" / "sub" / "store";
    fs::create_directories(root);
    expect_refused(root);
    expect_refused(base / "data");
    expect_refused(base / "data" / "sub" / ".." / "sub" / "");
    EXPECT_TRUE(fs::is_empty(root)) << "a refused root was marked";
}

TEST_F(SourceTest, NorHoldARootThatIsNotMadeYet) {
    root = base / "data" / "store";
    fs::create_directories(base / "data");
    expect_refused(base / "data");
    EXPECT_FALSE(fs::exists(root));
}

TEST_F(SourceTest, ASourceFileMustNotLieInTheRoot) {
    write_file(root / "shop.db");
    write_file(root / "deep" / "er" / "shop.db");
    expect_refused(root / "shop.db");
    expect_refused(root / "deep" / "er" / "shop.db");
    expect_refused(root / "deep");
    expect_refused(root / "not there yet.db");
}

TEST_F(SourceTest, ADirectoryBesideOrBelowASourceFileIsFine) {
    write_file(base / "data" / "shop.db");
    root = base / "data" / "store";
    expect_taken(base / "data" / "shop.db");
    expect_taken(base / "data" / "not there yet.db");
}

TEST_F(SourceTest, NamesThatOnlyLookAlikeAreFine) {
    write_file(base / "store2" / "shop.db");
    expect_taken(base / "store2" / "shop.db");
    expect_taken(base / "store2");
}

TEST_F(SourceTest, LinksDoNotHideIt) {
    write_file(root / "shop.db");
    fs::create_directory_symlink(root, base / "alias");
    fs::create_symlink(root / "shop.db", base / "link.db");
    expect_refused(base / "alias" / "shop.db");
    expect_refused(base / "alias");
    expect_refused(base / "link.db");
    fs::create_directory(base / "data");
    fs::create_directory_symlink(base / "data", base / "data-alias");
    root = base / "data-alias" / "store";
    expect_refused(base / "data");
}

TEST_F(SourceTest, LinksDoNotAccuseIt) {
    write_file(base / "data" / "shop.db");
    fs::create_directory(root);
    fs::create_symlink(base / "data" / "shop.db", root / "shop.db");
    expect_taken(root / "shop.db");
}

// ---- options

TEST_F(PlaceTest, ModesAreThoseOfTheOptionsWhateverTheUmask) {
    const auto storage = open({{"file-mode", {"0664"}}, {"dir-mode", {"0775"}}});
    (*storage)->put("a/b", bytes("x"), when(BK_PUT_ALWAYS));
    EXPECT_EQ(fs::status(root / "a/b").permissions(), fs::perms{0664});
    EXPECT_EQ(fs::status(root / "a").permissions(), fs::perms{0775});
    EXPECT_EQ(fs::status(root).permissions(), fs::perms{0775});
}

TEST_F(PlaceTest, WrongOptionsAreRefused) {
    for (const char* mode : {"", "rw", "0888", "01777", "0600x", "-1"})
        EXPECT_FAILS(BK_E_CONFIG, "file-mode", open({{"file-mode", {mode}}}));
    EXPECT_FAILS(BK_E_CONFIG, "own access", open({{"file-mode", {"0400"}}}));
    EXPECT_FAILS(BK_E_CONFIG, "own access", open({{"dir-mode", {"0600"}}}));
    EXPECT_FAILS(BK_E_CONFIG, "path", open({{"path", {""}}}));
    EXPECT_FAILS(BK_E_CONFIG, "names a host", open({{"path", {"//var/backups"}}}));
}

TEST_F(PlaceTest, ThePathOfAFileUrlIsTaken) {
    const auto storage = open({{"path", {"//" + root.string() + "/"}}});
    (*storage)->probe(nullptr);
    EXPECT_TRUE(fs::exists(root / kMarker));
}

} // namespace
} // namespace local
