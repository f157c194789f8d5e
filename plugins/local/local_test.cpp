// Reading, stat and remove, and the driver as the host sees it.
#include "local.hpp"

#include "storage_fixture.hpp"
#include "syscall_faults.hpp"

#include <sys/statvfs.h>

namespace local {
namespace {

using testing::ElementsAre;

class LocalTest : public StorageTest {};

TEST_F(LocalTest, RangesAreRead) {
    const std::string text = sample(10'000);
    put("a", text);
    EXPECT_EQ(get("a", 0, UINT64_MAX, 1), text);
    EXPECT_EQ(get("a", 5), text.substr(5));
    EXPECT_EQ(get("a", 5, 7), text.substr(5, 7));
    EXPECT_EQ(get("a", 9'990, 100), text.substr(9'990));
    EXPECT_EQ(get("a", 0, 0), "");
    EXPECT_EQ(get("a", 10'000), "");
    EXPECT_FAILS(BK_E_INVALID, "past the end", (void)get("a", 10'001));
    EXPECT_FAILS(BK_E_INVALID, "past the end", (void)get("a", UINT64_MAX, 1));
}

TEST_F(LocalTest, AbsentObjectsAreNotFound) {
    put("a/b");
    for (const char* key : {"x", "a/x", "a", "a/b/c", "x/y/z"}) {
        EXPECT_FAILS(BK_E_NOT_FOUND, "no object", store().read(key, 0, 1, nullptr));
        EXPECT_FALSE(store().stat(key)) << key;
        store().remove(key);
    }
    EXPECT_THAT(keys(), ElementsAre("a/b"));
}

TEST_F(LocalTest, AnotherVersionIsCorrupt) {
    const std::string version = put("a", "text").version;
    EXPECT_EQ(version, store().stat("a")->version);
    std::array<uint8_t, 8> buffer{};
    EXPECT_EQ(store().read("a", 0, 4, version.c_str())->read(buffer), 4u);
    EXPECT_EQ(store().read("a", 0, 4, "")->read(buffer), 4u);
    put("a", "text");
    EXPECT_FAILS(BK_E_CORRUPT, "has changed", store().read("a", 0, 4, version.c_str()));
}

TEST_F(LocalTest, AFileThatIsCutWhileItIsReadIsCorrupt) {
    put("a", sample(1000));
    const auto reader = store().read("a", 0, UINT64_MAX, nullptr);
    std::array<uint8_t, 500> buffer{};
    EXPECT_EQ(reader->read(buffer), 500u);
    fs::resize_file(root / "a", 500);
    EXPECT_FAILS(BK_E_CORRUPT, "was cut to 500 bytes", reader->read(buffer));
}

TEST_F(LocalTest, AnInterruptEndsAReader) {
    put("a", sample(1000));
    const auto reader = store().read("a", 0, UINT64_MAX, nullptr);
    store().interrupt();
    std::array<uint8_t, 500> buffer{};
    EXPECT_FAILS(BK_E_CANCELLED, "interrupted", reader->read(buffer));
    EXPECT_EQ(get("a"), sample(1000));
}

TEST_F(LocalTest, OddKeysGoThere) {
    for (const std::string key :
         {"a b", "50%25", "new\nline/x", "…/ü/日本", ".hidden", "..a/b..", "-rf", "\"'`$(x)"}) {
        put(key, key);
        EXPECT_EQ(get(key), key);
    }
    const std::string deep = std::string(255, 'd') + "/" + std::string(255, 'n');
    put(deep, "deep");
    EXPECT_EQ(keys().size(), 9u);
    for (const std::string& key : keys())
        store().remove(key);
    EXPECT_TRUE(files().empty());
}

TEST_F(LocalTest, TheDeepestKeyGoesToo) {
    std::string key = "a";
    while (key.size() + 2 <= kMaxKey)
        key += "/a";
    const auto storage = open({{"fsync", {"false"}}}); // or 512 directories are synced
    (*storage)->put(key, bytes("deep"), when(BK_PUT_ALWAYS));
    EXPECT_EQ(get(key), "deep");
    EXPECT_THAT(keys(), ElementsAre(key));
    (*storage)->remove(key);
    EXPECT_TRUE(files().empty());
}

TEST_F(LocalTest, RemoveTakesTheEmptyDirectoriesAlong) {
    put("a/b/c/x");
    put("a/y");
    store().remove("a/b/c/x");
    EXPECT_EQ(files(), (std::vector<std::string>{"a/", "a/y"}));
    store().remove("a/y");
    EXPECT_TRUE(files().empty());
    EXPECT_TRUE(fs::exists(root / kMarker));
}

TEST_F(LocalTest, RemoveIsDurable) {
    put("a/b/x");
    put("a/y");
    SyscallFaults faults;
    store().remove("a/b/x");
    EXPECT_THAT(faults.done, ElementsAre("sync " + (fs::canonical(root) / "a").string()));
    faults.on_sync = [](const std::string&) { return EIO; };
    EXPECT_FAILS(BK_E_UNAVAILABLE, "sync", store().remove("a/y"));
}

TEST_F(LocalTest, RemoveTellsOfARefusal) {
    if (::geteuid() == 0 && ::chown(base.c_str(), 65534, 65534) != 0) GTEST_SKIP();
    const AsNobody nobody;
    put("a/x");
    fs::permissions(root / "a", fs::perms{0500});
    EXPECT_FAILS(BK_E_DENIED, (root / "a/x").string(), store().remove("a/x"));
    fs::permissions(root / "a", fs::perms::owner_all);
    EXPECT_THAT(keys(), ElementsAre("a/x"));
}

TEST_F(LocalTest, LinksAreNotFollowed) {
    put("a");
    write_file(base / "outside" / "secret");
    fs::create_directory_symlink(base / "outside", root / "dir");
    fs::create_symlink(base / "outside/secret", root / "file");
    for (const char* key : {"dir/secret", "file"}) {
        EXPECT_FAILS(BK_E_DENIED, root.string(), store().read(key, 0, 1, nullptr));
        EXPECT_FAILS(BK_E_DENIED, root.string(), store().stat(key));
        EXPECT_FAILS(BK_E_DENIED, root.string(), store().remove(key));
    }
    EXPECT_FAILS(BK_E_DENIED, (root / "dir").string(), put("dir/new"));
    EXPECT_EQ(fs::read_symlink(root / "file"), base / "outside/secret");
    put("file", "an object takes the link's place");
    EXPECT_EQ(fs::file_size(base / "outside/secret"), 1u);
    EXPECT_FALSE(fs::exists(base / "outside/new"));
}

TEST_F(LocalTest, APipeIsNoObjectAndDoesNotBlock) {
    put("a");
    ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
    EXPECT_FAILS(BK_E_DENIED, "not a regular file", store().read("pipe", 0, 1, nullptr));
}

// ---- as the host sees it

TEST_F(LocalTest, SaysWhatItCan) {
    bk_storage_props props{};
    store().props(props);
    EXPECT_EQ(props.capabilities, uint32_t{BK_CAP_ATOMIC_REPLACE | BK_CAP_PUT_IF_ABSENT |
                                           BK_CAP_RANGE_READ | BK_CAP_LIST_AFTER_WRITE});
    EXPECT_EQ(props.min_part_size, 1u);
    EXPECT_EQ(props.max_parts, 0u);
    EXPECT_EQ(props.parallel_parts, 2u);
}

TEST_F(LocalTest, WorksThroughItsTables) {
    const bk_component& driver = bk::linked_driver("local");
    const auto& table = *static_cast<const bk_storage*>(driver.vtable);
    const bk::FakeHost host;
    const bk::FakeConfig config({{"path", {root.string()}}}, driver);
    void* self = nullptr;
    bk_error error = bk::empty_error();
    ASSERT_EQ(table.create(host.get(), config.get(), &self, &error), BK_OK);
    EXPECT_FALSE(fs::exists(root)) << "create does I/O";
    ASSERT_EQ(table.probe(self, nullptr, &error), BK_OK) << error.message;
    bk_object object = bk::empty_object();
    const bk_put_options options = when(BK_PUT_IF_ABSENT);
    EXPECT_EQ(table.put(self, "a", "text", 4, &options, &object, &error), BK_OK);
    EXPECT_EQ(table.put(self, "a", "text", 4, &options, &object, &error), BK_E_EXISTS);
    EXPECT_EQ(object.size, 4u);

    const auto* uploads =
        static_cast<const bk_storage_uploads*>(driver.get_extension(BK_STORAGE_UPLOADS_ID));
    const auto* usage =
        static_cast<const bk_storage_usage*>(driver.get_extension(BK_STORAGE_USAGE_ID));
    ASSERT_TRUE(uploads != nullptr && usage != nullptr);
    EXPECT_EQ(driver.get_extension("bkhost.storage.unknown/0"), nullptr);
    uint64_t count = 7, free = 0, total = 0;
    EXPECT_EQ(uploads->abort_stale(self, "", 0, &count, &error), BK_OK);
    EXPECT_EQ(count, 0u);
    EXPECT_EQ(usage->free_space(self, &free, &total, &error), BK_OK);
    struct statvfs space {};
    ASSERT_EQ(::statvfs(root.c_str(), &space), 0);
    EXPECT_EQ(total, uint64_t{space.f_blocks} * space.f_frsize);
    EXPECT_LE(free, total);
    table.destroy(self);
}

} // namespace
} // namespace local
