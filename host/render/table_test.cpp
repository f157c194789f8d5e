#include "host/render/table.hpp"

#include <bkhost/error.hpp>
#include <gtest/gtest.h>

namespace bkhost {

TEST(Table, AlignsByDisplayWidth) {
    Table table({{"SOURCE"}, {"SIZE", Align::right}, {"STATE"}});
    EXPECT_TRUE(table.empty());
    table.add({"shop", "1.50 KiB", "completed"});
    table.add({"日本語店舗", "9 B", "failed"});
    EXPECT_FALSE(table.empty());
    EXPECT_EQ(table.text(), "SOURCE          SIZE  STATE\n"
                            "shop        1.50 KiB  completed\n"
                            "日本語店舗       9 B  failed\n");
}

TEST(Table, MissingCellsAreEmptyAndLeaveNoSpaces) {
    Table table({{"A"}, {"B"}});
    table.add({"x"});
    EXPECT_EQ(table.text(), "A  B\nx\n");
}

TEST(Table, ANameCannotSteerTheTerminalOrAddALine) {
    Table table({{"NAME"}});
    table.add({"x\x1b]0;owned\a\ny"});
    EXPECT_EQ(table.text(), "NAME\nx\\x1b]0;owned\\x07\\ny\n");
}

TEST(Table, TooManyCellsAreAnError) {
    Table table({{"A"}});
    EXPECT_THROW(table.add({"1", "2"}), bk::Error);
    EXPECT_TRUE(table.empty());
}

TEST(Fields, ValuesAreAlignedAndContinued) {
    EXPECT_EQ(
        format_fields({{"id", "x"}, {"storages", "here"}, {"", "off\x1bsite"}, {"error", ""}}),
        "id:        x\n"
        "storages:  here\n"
        "           off\\x1bsite\n"
        "error:\n");
    EXPECT_EQ(format_fields({}), "");
}

} // namespace bkhost
