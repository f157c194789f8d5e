#include "storage_fixture.hpp"
#include "temp_file.hpp"

namespace local {
namespace {

using testing::ElementsAre;

TEST(Key, HasFoldersAndAName) {
    const Key key("prod/shop/manifest.json");
    EXPECT_THAT(key.folders(), ElementsAre("prod", "shop"));
    EXPECT_EQ(key.name(), "manifest.json");
    EXPECT_TRUE(Key("alone").folders().empty());
}

TEST(Key, TakesOddNames) {
    for (const std::string odd :
         {"a b", "50%", "new\nline", "…/ü/日本", "..a", "a..", ".hidden", "...", "x.part", "-rf",
          "a\\b", "sub/.bkhost-storage", "sub/lost+found", "\xf0\x9f\x92\xbe"})
        EXPECT_EQ(Key(odd).text(), odd);
    EXPECT_EQ(Key(std::string(255, 'x')).name().size(), 255u);
}

TEST(Key, RefusesWhatTheContractForbids) {
    for (const std::string bad :
         {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/.."})
        EXPECT_FAILS(BK_E_INVALID, "key '" + bad + "'", Key{bad});
    EXPECT_FAILS(BK_E_INVALID, "NUL", Key{std::string_view("a\0b", 3)});
    EXPECT_FAILS(BK_E_INVALID, "255", Key{"a/" + std::string(256, 'x')});
}

TEST(Key, IsAtMost1024BytesLong) {
    std::string key;
    while (key.size() < 1022)
        key += "a/";
    EXPECT_EQ(Key(key + "bc").text().size(), 1024u);
    EXPECT_FAILS(BK_E_INVALID, "1024", Key{key + "bcd"});
}

TEST(Key, RefusesReservedNames) {
    for (const std::string bad :
         {".bkhost-storage", ".bkhost-storage/a", "lost+found/a", ".x.part", "a/.part"})
        EXPECT_FAILS(BK_E_INVALID, "key", Key{bad});
}

TEST(Key, RefusesWhatIsNotUtf8) {
    for (const char* bad : {"\xff", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\x80", "a\xe2\x82"})
        EXPECT_FAILS(BK_E_INVALID, "UTF-8", Key{bad});
    EXPECT_TRUE(is_utf8("\xed\x9f\xbf\xf4\x8f\xbf\xbf"));
}

TEST(Prefix, NamesTheFoldersThatItHoldsWhole) {
    EXPECT_THAT(folders_of_prefix(""), ElementsAre());
    EXPECT_THAT(folders_of_prefix("a/b"), ElementsAre("a"));
    EXPECT_THAT(folders_of_prefix("a/b/"), ElementsAre("a", "b"));
    EXPECT_THAT(folders_of_prefix("a/.."), ElementsAre("a")); // of "a/..b", say
}

TEST(Prefix, RefusesWhatNoKeyBeginsWith) {
    for (const std::string bad : {"/", "../", "a/../b", "a//", "./"})
        EXPECT_FAILS(BK_E_INVALID, "key '" + bad + "'", (void)folders_of_prefix(bad));
}

TEST(TempName, TellsItsTarget) {
    const std::string name = make_temp_name("shop.sql.zst");
    EXPECT_TRUE(is_temp_name(name));
    EXPECT_EQ(target_of_temp(name), "shop.sql.zst");
    EXPECT_NE(make_temp_name("a"), make_temp_name("a"));
}

TEST(TempName, FitsIntoANameWhateverItsTarget) {
    for (const std::string& target :
         {std::string(255, 'x'), std::string(85, '@') + std::string(1, 'y')}) {
        const std::string name = make_temp_name(target);
        EXPECT_LE(name.size(), kMaxPart);
        EXPECT_TRUE(target.starts_with(target_of_temp(name).value()));
    }
    std::string wide; // is cut between characters
    for (int i = 0; i < 85; ++i)
        wide += "日";
    EXPECT_TRUE(is_utf8(make_temp_name(wide)));
}

TEST(TempName, IsNotSeenInForeignNames) {
    for (const char* name :
         {".x.part", "x.1-0123456789abcdef.part", ".x.1-0123.part", ".x.-0123456789abcdef.part",
          ".x.1-0123456789abcdeg.part", ".x.a-0123456789abcdef.part", ".1-0123456789abcdef.part"})
        EXPECT_EQ(target_of_temp(name), std::nullopt) << name;
}

} // namespace
} // namespace local
