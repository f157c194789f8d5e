// What the parser lets through and the format does not.
#include "core/base/strict_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using nlohmann::json;
using testing::HasSubstr;

template <class Body>
std::string failure(Body&& body) {
    try {
        body();
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
        return error.what();
    }
    return "";
}

TEST(StrictJson, OnlyAWholeNumberIsOne) {
    EXPECT_EQ(whole_number(json::parse("0")), 0u);
    EXPECT_EQ(whole_number(json::parse("9223372036854775807")), uint64_t{INT64_MAX});
    EXPECT_EQ(small_number(json::parse("4294967295")), UINT32_MAX);
    for (const char* bad : {"-1", "1.0", "1e3", "1e300", "true", "null", "\"1\"", "[1]", "{}",
                            "9223372036854775808", "18446744073709551616"})
        EXPECT_THAT(failure([&] { (void)whole_number(json::parse(bad)); }),
                    HasSubstr("where a whole number"))
            << bad;
    EXPECT_NE(failure([] { (void)small_number(json::parse("4294967296")); }), "");
    EXPECT_NE(failure([] { (void)whole_number(json::parse("2"), 1); }), "");
}

TEST(StrictJson, OnlyAListIsOne) {
    EXPECT_EQ(json_list(json::parse("[1,2]")).size(), 2u);
    for (const char* bad : {"null", "1", "{}", "\"[]\""})
        EXPECT_THAT(failure([&] { (void)json_list(json::parse(bad)); }), HasSubstr("where a list"));
}

TEST(StrictJson, NestingHasAnEnd) {
    const std::string deep(kMaxJsonDepth, '['), deeper(kMaxJsonDepth + 1, '[');
    EXPECT_EQ(failure([&] { check_json_depth(deep); }), "");
    EXPECT_THAT(failure([&] { check_json_depth(deeper); }), HasSubstr("nested deeper than 100"));
    EXPECT_NE(failure([&] { check_json_depth("{\"a\\\"[\":" + deeper); }), "");
    EXPECT_EQ(failure([&] { check_json_depth("[\"" + deeper + "\\\"" + deeper + "\"]"); }), "")
        << "texts do not count";
    std::string wide;
    for (int i = 0; i < 1000; ++i)
        wide += "[{}],";
    EXPECT_EQ(failure([&] { check_json_depth(wide); }), "");
    for (const char* odd : {"", "\"", "\"\\", "]]]]", "[\"\\"})
        EXPECT_EQ(failure([&] { check_json_depth(odd); }), "") << odd;
}

} // namespace
} // namespace bkhost
