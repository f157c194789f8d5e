#include "core/base/clock.hpp"
#include "core/base/digest.hpp"
#include "core/base/secret.hpp"
#include "core/base/text.hpp"

#include <gtest/gtest.h>

#include <set>

namespace bkhost {

TEST(Text, SizesAreReadAndWritten) {
    EXPECT_EQ(parse_size("4096"), 4096u);
    EXPECT_EQ(parse_size("8 MiB"), 8u << 20);
    EXPECT_EQ(parse_size("1.5GiB"), 3u << 29);
    EXPECT_EQ(parse_size("1GB"), 1'000'000'000u);
    EXPECT_EQ(parse_size("2g"), 2ull << 30);
    for (const char* bad :
         {"", "MiB", "-1", "1x", "1MiBx", "99999999999999999999", "20000PiB", "nan"})
        EXPECT_FALSE(parse_size(bad)) << bad;
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(1023), "1.00 KiB");
    EXPECT_EQ(format_bytes(1536), "1.50 KiB");
    EXPECT_EQ(format_bytes(10u << 20), "10.0 MiB");
    EXPECT_EQ(format_bytes(UINT64_MAX), "16.0 EiB");
}

TEST(Text, DurationsAreReadAndWritten) {
    EXPECT_EQ(parse_duration("250ms"), 250);
    EXPECT_EQ(parse_duration("1h30m"), 5'400'000);
    EXPECT_EQ(parse_duration("7d"), 604'800'000);
    for (const char* bad : {"", "5", "5x", "-5s", "s", "999999999999d"})
        EXPECT_FALSE(parse_duration(bad)) << bad;
    EXPECT_EQ(format_duration(340), "340ms");
    EXPECT_EQ(format_duration(125'000), "2m05s");
    EXPECT_EQ(format_duration(3'725'000), "1h02m");
    for (const char* exact : {"0s", "250ms", "1s", "90m", "2h", "1h30m", "1d", "7d3h59m1s999ms"})
        EXPECT_EQ(parse_duration(exact_duration(*parse_duration(exact))), parse_duration(exact));
    EXPECT_EQ(exact_duration(7'200'000), "2h");
    EXPECT_EQ(exact_duration(5'400'000), "1h30m");
    EXPECT_EQ(exact_duration(0), "0s");
}

TEST(Text, HexGoesThereAndBack) {
    const std::vector<uint8_t> bytes{0, 1, 0xab, 0xff};
    EXPECT_EQ(to_hex(bytes), "0001abff");
    EXPECT_EQ(from_hex("0001ABff"), bytes);
    EXPECT_FALSE(from_hex("0"));
    EXPECT_FALSE(from_hex("0g"));
    EXPECT_FALSE(from_hex("+1"));
}

TEST(Text, NamesAreSplitByCommaAndQuotes) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(split_names(""), Names{});
    EXPECT_EQ(split_names("users"), Names{"users"});
    EXPECT_EQ(split_names(" users , order items,ünï "), (Names{"users", "order items", "ünï"}));
    EXPECT_EQ(split_names(R"("a,b" , "say ""hi""","""x","  ")"),
              (Names{"a,b", "say \"hi\"", "\"x", "  "}));
    EXPECT_EQ(split_names(R"(odd "name)"), Names{R"(odd "name)"}) << "a quote within is nothing";
    for (const char* wrong : {",", "a,", ",a", "a,,b", " ", "\"a", "\"a\"b", "\"\"", "\"a\"\""})
        EXPECT_EQ(split_names(wrong), std::nullopt) << wrong;
}

TEST(Text, NearestNameIsFoundOrNothing) {
    EXPECT_EQ(nearest("bukcet", {"bucket", "region"}), "bucket");
    EXPECT_EQ(nearest("zzz", {"bucket", "region"}), "");
}

TEST(Clock, TimesGoThereAndBack) {
    const TimeMs time = *parse_time("2026-02-11T03:15:00.123Z");
    EXPECT_EQ(format_time(time), "2026-02-11T03:15:00.123Z");
    EXPECT_EQ(format_time_compact(time), "20260211T031500Z");
    EXPECT_EQ(parse_time("20260211T031500Z"), time - 123);
    EXPECT_EQ(parse_time("2026-02-11T03:15:00Z"), time - 123);
    EXPECT_EQ(parse_time("1970-01-01T00:00:00.000Z"), 0);
    for (const char* bad :
         {"", "2026", "2026-13-11T03:15:00Z", "2026-02-11T03:15:00", "2026-02-31T03:15:00Z",
          "2026-02-11T03:15:60Z", "20260211-031500Z", "2026:02:11T03-15-00Z", "20260211T031500123Z",
          "2026-02-11T03:15:00.12Z", "1013-11-21T01:31:45.319Z", "1969-12-31T23:59:59.999Z"})
        EXPECT_FALSE(parse_time(bad)) << bad;
}

TEST(Clock, IdsAreUniqueAndSortable) {
    std::set<std::string> ids;
    for (int i = 0; i < 200; ++i)
        ids.insert(make_id(Clock::system()));
    EXPECT_EQ(ids.size(), 200u);
    for (const std::string& id : ids)
        EXPECT_TRUE(is_id(id)) << id;
    EXPECT_FALSE(is_id("latest"));
    EXPECT_FALSE(is_id("20260211T031500Z-k3f9q1"));
    EXPECT_FALSE(is_id("20260211-031500Z-k3f9qd"));
}

TEST(Digest, KnownValues) {
    EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(xxh3_hex({}), "99aa06d3014798d86001c324468d497f");
    Xxh3 running;
    running.update(as_bytes("ab"));
    running.update(as_bytes("c"));
    EXPECT_EQ(running.finish(), xxh3_hex(as_bytes("abc")));
}

TEST(Secret, MovedFromIsEmpty) {
    Secret a("hunter2");
    const Secret b = std::move(a);
    EXPECT_TRUE(a.empty()); // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_EQ(b.reveal(), "hunter2");
}

} // namespace bkhost
