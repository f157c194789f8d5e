// rowsum.h against its definition: fixed digests, a naive implementation, every way to give the
// bytes of a row, and the arithmetic of the sum.
#include "rowsum_naive.hpp"

#include <bkhost/rowsum.h>

#include <gtest/gtest.h>

#include <random>

extern "C" void rowsum_from_c(bk_rowsum* sum);

namespace {

using bk_test::naive_rowsum;
using bk_test::Row;
using bk_test::Sum128;

std::string hex(const bk_rowsum& sum) {
    char text[BK_ROWSUM_HEX_SIZE];
    bk_rowsum_hex(&sum, text);
    return text;
}

bk_rowsum of(Sum128 number, uint64_t rows = 0) {
    return {{static_cast<uint64_t>(number), static_cast<uint64_t>(number >> 64)}, rows};
}

bk_rowsum digest(const std::vector<Row>& rows) {
    bk_rowsum sum{};
    bk_rowsum_row row;
    for (const Row& columns : rows) {
        bk_rowsum_row_begin(&row);
        for (const auto& column : columns) {
            if (column)
                bk_rowsum_row_value(&row, column->data(), column->size());
            else
                bk_rowsum_row_null(&row);
        }
        bk_rowsum_row_end(&row, &sum);
    }
    return sum;
}

TEST(Rowsum, HasTheDigestsThatWereFixedOnce) {
    EXPECT_EQ(hex(digest({})), "00000000000000000000000000000000");
    EXPECT_EQ(hex(digest({Row{}})), "99aa06d3014798d86001c324468d497f"); // XXH3-128 of nothing
    EXPECT_EQ(hex(digest({{"1"}})), "fb982812290c459d3394414f28e3943f");
    EXPECT_EQ(hex(digest({{"1", std::nullopt, ""}, {"2", "x", "\xC3\xA4"}})),
              "eb2e83b53e0bd1be61867783852a97c4");
}

TEST(Rowsum, AgreesWithTheDefinitionAtEveryLengthAroundTheBuffer) {
    for (size_t size : {0,    1,    8,    9,    16,   17,   128,  129,  240,  241,    1024,
                        4060, 4070, 4071, 4072, 4080, 4081, 4096, 8160, 8161, 100'000}) {
        const std::vector<Row> rows{{std::string(size, 'a')},
                                    {"1", std::string(size, 'b'), std::nullopt, "tail"}};
        EXPECT_EQ(hex(digest(rows)), hex(of(naive_rowsum(rows)))) << size;
    }
}

TEST(Rowsum, AgreesWithTheDefinitionOnRandomRows) {
    std::mt19937 random(7);
    std::vector<Row> rows;
    for (int i = 0; i < 400; ++i) {
        Row row;
        for (uint64_t c = 0, columns = random() % 9; c < columns; ++c) {
            if (random() % 5 == 0)
                row.emplace_back();
            else
                row.emplace_back(std::string(random() % (random() % 8 == 0 ? 6000 : 30),
                                             static_cast<char>(random())));
        }
        rows.push_back(row);
    }
    const bk_rowsum sum = digest(rows);
    EXPECT_EQ(hex(sum), hex(of(naive_rowsum(rows))));
    EXPECT_EQ(sum.rows, rows.size());
}

TEST(Rowsum, TakesAValueInPieces) {
    const std::string value(10'000, 'v');
    for (size_t piece : {1ul, 7ul, 4079ul, 4080ul, 4081ul, 9'999ul}) {
        bk_rowsum sum{};
        bk_rowsum_row row;
        bk_rowsum_row_begin(&row);
        bk_rowsum_row_size(&row, value.size());
        for (size_t at = 0; at < value.size(); at += piece)
            bk_rowsum_row_bytes(&row, value.data() + at, std::min(piece, value.size() - at));
        bk_rowsum_row_null(&row);
        bk_rowsum_row_end(&row, &sum);
        EXPECT_EQ(hex(sum), hex(of(naive_rowsum({{value, std::nullopt}})))) << piece;
    }
}

TEST(Rowsum, TellsApartWhatLooksAlike) {
    EXPECT_NE(hex(digest({{""}})), hex(digest({{std::nullopt}})));
    EXPECT_NE(hex(digest({{"ab", "c"}})), hex(digest({{"a", "bc"}})));
    EXPECT_NE(hex(digest({{"a", std::nullopt}})), hex(digest({{std::nullopt, "a"}})));
    EXPECT_NE(hex(digest({{"a"}})), hex(digest({{"a"}, {"a"}}))); // a doubled row counts twice
}

TEST(Rowsum, DoesNotDependOnTheOrderOrOnThePieces) {
    const Row a{"1", "x"}, b{"2", std::nullopt}, c{"3", std::string(5000, 'c')};
    bk_rowsum pieces = digest({c, a});
    const bk_rowsum rest = digest({b});
    bk_rowsum_add(&pieces, &rest);
    EXPECT_EQ(hex(pieces), hex(digest({a, b, c})));
    EXPECT_EQ(pieces.rows, 3u);
}

TEST(Rowsum, CarriesFromTheLowHalfAndWrapsAtTheTop) {
    bk_rowsum sum = of(~Sum128{0} >> 64); // low half all ones
    const bk_rowsum one = of(1, 1);
    bk_rowsum_add(&sum, &one);
    EXPECT_EQ(hex(sum), "00000000000000010000000000000000");
    bk_rowsum top = of(~Sum128{0});
    bk_rowsum_add(&top, &one);
    EXPECT_EQ(hex(top), "00000000000000000000000000000000");
}

TEST(Rowsum, WorksFromC) {
    bk_rowsum sum{};
    rowsum_from_c(&sum);
    EXPECT_EQ(hex(sum), hex(of(naive_rowsum({{"42", std::nullopt, ""}}))));
    EXPECT_EQ(sum.rows, 1u);
}

} // namespace
