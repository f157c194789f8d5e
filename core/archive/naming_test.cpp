// The keys of an archive, and what must never become part of one.
#include "core/archive/naming.hpp"

#include <bkhost/error.hpp>
#include <gtest/gtest.h>

namespace bkhost {
namespace {

constexpr const char* kId = "20260211T031500Z-k3f9qd";

TEST(Naming, ArchiveNamesAreOneSafePartOfAKey) {
    for (const char* good : {"a", "shop", "A-Z_0.9", "x.y"})
        EXPECT_TRUE(is_archive_name(good)) << good;
    EXPECT_TRUE(is_archive_name(std::string(64, 'a')));
    for (const char* bad : {"", ".", "..", ".hidden", "a/b", "a b", "a\\b", "ü", "a\n"})
        EXPECT_FALSE(is_archive_name(bad)) << bad;
    EXPECT_FALSE(is_archive_name(std::string(65, 'a')));
    EXPECT_FALSE(is_archive_name(std::string("a\0b", 3)));
}

TEST(Naming, ThePrefixHasFourParts) {
    EXPECT_EQ(archive_prefix("prod", "", "shop", kId),
              "prod/_global/shop/" + std::string(kId) + "/");
    EXPECT_EQ(archive_prefix("prod", "acme", "shop", kId),
              "prod/acme/shop/" + std::string(kId) + "/");
}

TEST(Naming, PartsThatCouldLeaveTheFolderAreRefused) {
    EXPECT_THROW((void)archive_prefix("..", "", "shop", kId), bk::Error);
    EXPECT_THROW((void)archive_prefix("prod", "a/b", "shop", kId), bk::Error);
    EXPECT_THROW((void)archive_prefix("prod", "", "", kId), bk::Error);
    EXPECT_THROW((void)archive_prefix("", "", "shop", kId), bk::Error);
    try {
        (void)archive_prefix("prod", "_global", "shop", kId);
        FAIL() << "a tenant called _global";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
    }
}

TEST(Naming, AnEmptyPartIsRefusedWhateverItsAddress) {
    const std::string_view same = "";
    EXPECT_THROW((void)archive_prefix(same, same, "shop", kId), bk::Error);
    EXPECT_THROW((void)archive_prefix("prod", same, same, kId), bk::Error);
}

TEST(Naming, AManifestKeyTellsWhatItBelongsTo) {
    const auto found = parse_manifest_key("prod/acme/shop/" + std::string(kId) + "/manifest.json");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->prefix, archive_prefix("prod", "acme", "shop", kId));
    EXPECT_EQ(found->environment, "prod");
    EXPECT_EQ(found->tenant, "acme");
    EXPECT_EQ(found->source, "shop");
    EXPECT_EQ(found->id, kId);
    EXPECT_EQ(
        parse_manifest_key("prod/_global/shop/" + std::string(kId) + "/manifest.json")->tenant, "");
}

TEST(Naming, OtherKeysAreNotManifests) {
    const std::string id(kId);
    for (const std::string& key :
         {std::string(), std::string("manifest.json"), "prod/_global/shop/" + id + "/index.ndjson",
          "prod/_global/shop/" + id + "/manifest.json.bak", "prod/shop/" + id + "/manifest.json",
          "x/prod/_global/shop/" + id + "/manifest.json",
          "prod/_global/../" + id + "/manifest.json", "prod//shop/" + id + "/manifest.json",
          std::string("prod/_global/shop/no-id/manifest.json"),
          "prod/_global/shop/" + id + "/verify/manifest.json"})
        EXPECT_FALSE(parse_manifest_key(key)) << key;
}

TEST(Naming, OnlyLaterVolumesAreNumbered) {
    EXPECT_EQ(volume_name("shop", "db", 0, "zst", "age"), "shop.db.zst.age");
    EXPECT_EQ(volume_name("shop", "db", 1, "zst", "age"), "shop.001.db.zst.age");
    EXPECT_EQ(volume_name("shop", "db", 999, "zst", ""), "shop.999.db.zst");
    EXPECT_EQ(volume_name("shop", "db", 1000, "", "age"), "shop.1000.db.age");
    EXPECT_EQ(volume_name("shop", "", 0, "", ""), "shop");
    EXPECT_EQ(index_name("zst", "age"), "index.ndjson.zst.age");
    EXPECT_EQ(index_name("", ""), "index.ndjson");
    EXPECT_EQ(index_name("zst", "", kId), "index." + std::string(kId) + ".ndjson.zst");
}

} // namespace
} // namespace bkhost
