// What of a script belongs to the tables that are named, and what is said when it does not.
#include "core/catalog/catalog_fixture.hpp"
#include "core/job/table_choice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bkhost/dumper.h>

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SectionInfo section(uint32_t number, uint32_t phase, const std::string& kind,
                    const std::string& name, const std::string& depends = {}) {
    return {number, 0, phase, 0, false, kind, "main", name, depends};
}

const std::vector<SectionInfo> kSections = {
    section(0, BK_PHASE_PROLOGUE, "session", ""),
    section(1, BK_PHASE_PRE, "table", "users"),
    section(2, BK_PHASE_PRE, "table", "a,b", "a type"),
    section(3, BK_PHASE_PRE, "type", "a type", "base"),
    section(4, BK_PHASE_PRE, "type", "base"),
    section(5, BK_PHASE_PRE, "shadow table", "docs_data"),
    section(6, BK_PHASE_PRE, "virtual table", "docs", "docs_data"),
    section(7, BK_PHASE_PRE, "view", "rich"),
    section(8, BK_PHASE_DATA, "table", "users"),
    section(9, BK_PHASE_DATA, "table", "a,b"),
    section(10, BK_PHASE_DATA, "shadow table", "docs_data"),
    section(11, BK_PHASE_POST, "index", "by_name", "users"),
    section(12, BK_PHASE_POST, "index", "odd", R"("a,b")"),
    section(13, BK_PHASE_POST, "foreign key", "fk", R"(users,"a,b")"),
    section(14, BK_PHASE_POST, "statistics", "all"),
    section(15, BK_PHASE_EPILOGUE, "session", ""),
    section(16, BK_PHASE_META, "meta", "users"),
};

std::vector<uint32_t> chosen(const std::vector<std::string>& names) {
    const TableChoice choice = choose_sections(kSections, names);
    return {choice.sections.begin(), choice.sections.end()};
}

TEST(TableChoice, WhatBelongsToATableComesWithIt) {
    EXPECT_THAT(chosen({"users"}), ElementsAre(0, 1, 8, 11, 15));
    EXPECT_THAT(chosen({"rich"}), ElementsAre(0, 7, 15));
}

TEST(TableChoice, DependenciesComeAlongAtAnyDepth) {
    EXPECT_THAT(chosen({"a,b"}), ElementsAre(0, 2, 3, 4, 9, 12, 15));
    EXPECT_THAT(chosen({"docs"}), ElementsAre(0, 5, 6, 10, 15));
}

TEST(TableChoice, WhatNeedsTwoTablesComesWithBothAndIsToldOtherwise) {
    EXPECT_THAT(chosen({"users", "a,b"}), ElementsAre(0, 1, 2, 3, 4, 8, 9, 11, 12, 13, 15));
    EXPECT_THAT(choose_sections(kSections, {"users"}).left_out,
                ElementsAre("foreign key 'fk' is left out: it needs a,b, which is not restored"));
    EXPECT_THAT(choose_sections(kSections, {"rich"}).left_out, ElementsAre());
}

TEST(TableChoice, AFrameIsNeededForAnyOfItsSegments) {
    const TableChoice choice = choose_sections(kSections, {"users"});
    IndexFrame frame;
    frame.segments.resize(2);
    frame.segments[0].section = 9;
    frame.segments[1].section = 10;
    EXPECT_FALSE(choice.has_any(frame));
    frame.segments[1].section = 8;
    EXPECT_TRUE(choice.has_any(frame));
}

TEST(TableChoice, NamesAreThoseOfTablesAndViews) {
    EXPECT_THAT(table_names(kSections), ElementsAre("a,b", "docs", "rich", "users"));
}

TEST(TableChoice, UnknownNamesAreAnErrorThatNamesTheNearest) {
    const auto failure = [](const std::vector<std::string>& wanted) {
        return error_of([&] { check_table_names("b1", wanted, table_names(kSections)); });
    };
    check_table_names("b1", {"users", "a,b"}, table_names(kSections));
    const bk::Error error = failure({"users", "usres", "DOCS", "docs_data"});
    EXPECT_EQ(error.status(), BK_E_CONFIG);
    EXPECT_STREQ(error.what(), "backup 'b1' has no table 'usres', 'DOCS', 'docs_data'");
    EXPECT_THAT(error.hint(), HasSubstr("did you mean 'users', 'docs'"));
    EXPECT_THAT(error.hint(), HasSubstr("it holds a,b, docs, rich, users"));
    std::vector<std::string> many(30, "t");
    for (size_t i = 0; i < many.size(); ++i)
        many[i] += std::to_string(i);
    EXPECT_THAT(error_of([&] { check_table_names("b1", {"x"}, many); }).hint(),
                HasSubstr("t9 and 20 more"));
}

TEST(TableChoice, DependsThatIsNoListIsDamage) {
    const std::vector<SectionInfo> sections = {section(0, BK_PHASE_PRE, "table", "t", "\"a")};
    EXPECT_EQ(error_of([&] { (void)choose_sections(sections, {"t"}); }).status(), BK_E_CORRUPT);
}

} // namespace
} // namespace bkhost::test
