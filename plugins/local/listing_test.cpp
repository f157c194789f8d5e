#include "listing.hpp"

#include "storage_fixture.hpp"

#include <fcntl.h>

#include <random>
#include <set>

namespace local {
namespace {

using Strings = std::vector<std::string>;
using testing::ElementsAre;

/// What a list must give, from the definition in storage.h.
Strings model(const std::set<std::string>& all, const std::string& prefix, const std::string& after,
              const std::string& delimiter) {
    Strings found;
    for (const std::string& key : all) {
        if (!key.starts_with(prefix) || key <= after) continue;
        const size_t at =
            delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
        const std::string entry =
            at == std::string::npos ? key : key.substr(0, at + delimiter.size());
        if (entry != after && (found.empty() || found.back() != entry)) found.push_back(entry);
    }
    return found;
}

class ListingTest : public StorageTest {
protected:
    /// Fast: without the driver and its fsync.
    void fill(const std::set<std::string>& all) {
        store().probe(nullptr);
        for (const std::string& key : all)
            write_file(root / key, key);
    }
    [[nodiscard]] Strings list(const std::string& prefix, const std::string& after,
                               const std::string& delimiter, size_t batch) const {
        const Descriptor folder = open_at(AT_FDCWD, root.c_str(), O_RDONLY | O_DIRECTORY);
        const Tree tree{folder.get(), root};
        const Interrupts none = 0;
        const InterruptMark mark(none);
        Strings found;
        const bk::Storage::Found add = [&](const char* key, const bk_object&) {
            found.emplace_back(key);
        };
        Listing(tree, {prefix, after, delimiter}, add, mark, batch).run();
        return found;
    }
};

/// 2,600 keys over three levels, with characters around "/" in byte order, empty directories aside.
std::set<std::string> many_keys() {
    std::mt19937 random(42);
    const Strings parts{"a", "a-", "a.", "a0", "b", "b b", "ü", "Z", "%41", "~", "a\n", "日本"};
    std::set<std::string> all;
    while (all.size() < 2600) {
        std::string key;
        for (int depth = static_cast<int>(random() % 3); depth > 0; --depth)
            key += parts[random() % parts.size()] + "/";
        all.insert(key + "k" + std::to_string(random() % 5000));
    }
    return all;
}

TEST_F(ListingTest, AgreesWithTheModel) {
    const std::set<std::string> all = many_keys();
    fill(all);
    for (const std::string prefix :
         {"", "a", "a/", "a/a", "a-", "b b/", "ü/", "k1", "a/k", "absent/", "a/absent/x"})
        for (const std::string after : {"", "a", "a/", "a/b/k2", "a0", "k2500", "~~"})
            for (const std::string delimiter : {"", "/", "k1"})
                for (const size_t batch : {40u, 65536u})
                    ASSERT_EQ(list(prefix, after, delimiter, batch),
                              model(all, prefix, after, delimiter))
                        << "prefix '" << prefix << "' after '" << after << "' delimiter '"
                        << delimiter << "' batch " << batch;
}

TEST_F(ListingTest, GivesSizeTimeAndVersionAsStatDoes) {
    put("a/b", "text");
    store().list("", nullptr, nullptr, [&](const char* key, const bk_object& object) {
        const auto same = store().stat(key);
        ASSERT_TRUE(same);
        EXPECT_EQ(object.size, 4u);
        EXPECT_EQ(object.modified_ms, same->modified_ms);
        EXPECT_STREQ(object.version, same->version);
    });
    store().list("", nullptr, "/", [&](const char* key, const bk_object& object) {
        EXPECT_STREQ(key, "a/");
        EXPECT_EQ(object.size, 0u);
        EXPECT_STREQ(object.version, "");
    });
}

TEST_F(ListingTest, DirectoriesWithoutObjectsAreNotFolded) {
    store().probe(nullptr);
    fs::create_directories(root / "empty/deeper");
    write_file(root / "busy" / ".x.1-0123456789abcdef.part");
    write_file(root / "full/x");
    EXPECT_THAT(keys("", nullptr, "/"), ElementsAre("full/"));
}

TEST_F(ListingTest, HidesTheMarkerUploadsAndLostAndFound) {
    store().probe(nullptr);
    const auto upload = store().upload("a/b", when(BK_PUT_ALWAYS));
    fs::create_directory(root / "lost+found");
    fs::permissions(root / "lost+found", fs::perms::none);
    write_file(root / "sub" / kMarker);
    write_file(root / "sub/lost+found");
    EXPECT_THAT(keys(), ElementsAre("sub/.bkhost-storage", "sub/lost+found"));
}

TEST_F(ListingTest, PrefixesThatLeaveTheRootAreRefused) {
    put("a");
    for (const char* prefix : {"../", "a/../", "/", "./", "a//"})
        EXPECT_FAILS(BK_E_INVALID, "key", (void)keys(prefix));
}

TEST_F(ListingTest, AnUnreadableDirectoryIsAnError) {
    if (::geteuid() == 0 && ::chown(base.c_str(), 65534, 65534) != 0) GTEST_SKIP();
    const AsNobody nobody;
    put("a/x");
    put("b/x");
    fs::permissions(root / "a", fs::perms::none);
    EXPECT_FAILS(BK_E_DENIED, (root / "a").string(), (void)keys());
    EXPECT_FAILS(BK_E_DENIED, (root / "a").string(), store().stat("a/x"));
    EXPECT_THAT(keys("b/"), ElementsAre("b/x"));
    fs::permissions(root / "a", fs::perms::owner_all);
}

TEST_F(ListingTest, WhatCannotBeAnObjectIsAnError) {
    put("a/x");
    fs::create_directory_symlink(base, root / "link");
    EXPECT_FAILS(BK_E_DENIED, "symbolic link", (void)keys());
    EXPECT_THAT(keys("a"), ElementsAre("a/x"));
    fs::remove(root / "link");
    ASSERT_EQ(::mkfifo((root / "pipe").c_str(), 0600), 0);
    EXPECT_FAILS(BK_E_DENIED, "neither", (void)keys());
    fs::remove(root / "pipe");
    write_file(root / "\xff");
    EXPECT_FAILS(BK_E_DENIED, "not UTF-8", (void)keys());
}

TEST_F(ListingTest, AReceiverMayGiveUp) {
    fill({"a", "b", "c"});
    const bk_component& driver = bk::linked_driver("local");
    const auto& table = *static_cast<const bk_storage*>(driver.vtable);
    int seen = 0;
    const auto give_up = [](void* ctx, const char*, const bk_object*) noexcept -> bk_status {
        return ++*static_cast<int*>(ctx) == 2 ? BK_E_BUSY : BK_OK;
    };
    bk_error error = bk::empty_error();
    bk::Storage* self = &store();
    EXPECT_EQ(table.list(self, "", nullptr, nullptr, give_up, &seen, &error), BK_E_BUSY);
    EXPECT_EQ(seen, 2);
}

TEST_F(ListingTest, AnInterruptEndsIt) {
    fill({"a", "b", "c"});
    int seen = 0;
    EXPECT_FAILS(BK_E_CANCELLED, "interrupted",
                 store().list("", nullptr, nullptr, [&](const char*, const bk_object&) {
                     ++seen;
                     store().interrupt();
                 }));
    EXPECT_EQ(seen, 1);
}

} // namespace
} // namespace local
