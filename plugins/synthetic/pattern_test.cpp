#include "pattern.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>

namespace synthetic {
namespace {

std::string range(const Pattern& pattern, uint32_t unit, uint64_t begin, uint64_t size) {
    std::string text;
    Pattern::Stamp room;
    while (text.size() < size) {
        const auto piece = pattern.piece(unit, begin + text.size(), room);
        const size_t n = std::min<uint64_t>(piece.size(), size - text.size());
        text.append(reinterpret_cast<const char*>(piece.data()), n);
    }
    return text;
}

TEST(Pattern, TheSameSeedGivesTheSameBytesWhereverOneBegins) {
    const Pattern one(7, 3), two(7, 3);
    const uint64_t size = 3 * Pattern::kBlock;
    const std::string whole = range(one, 2, 0, size);
    EXPECT_EQ(range(two, 2, 0, size), whole);
    for (const uint64_t begin : {uint64_t{1}, uint64_t{15}, uint64_t{16}, uint64_t{65535},
                                 Pattern::kBlock, Pattern::kBlock + 5})
        EXPECT_EQ(range(two, 2, begin, 1000), whole.substr(begin, 1000)) << begin;
}

TEST(Pattern, IsThePatternThatItsVersionNames) {
    // The first bytes of a seed, so that a change that should have a new number is seen.
    const Pattern pattern(1, 3);
    uint64_t sum = 0;
    for (const char c : range(pattern, 1, 0, 4 * Pattern::kBlock))
        sum = sum * 31 + static_cast<unsigned char>(c);
    EXPECT_EQ(kPatternVersion, 1);
    EXPECT_EQ(sum, 16865655780480770735u);
}

TEST(Pattern, SeedUnitAndRatioEachChangeIt) {
    const Pattern base(1, 3), other_seed(2, 3), other_ratio(1, 4);
    const std::string bytes = range(base, 0, 0, 4096);
    EXPECT_NE(range(base, 1, 0, 4096), bytes);
    EXPECT_NE(range(other_seed, 0, 0, 4096), bytes);
    EXPECT_NE(range(other_ratio, 0, 16, 4096), range(base, 0, 16, 4096));
}

TEST(Pattern, NoTwoBlocksAreAlike) {
    const Pattern pattern(1, 3);
    std::set<std::string> stamps;
    for (uint32_t unit = 0; unit < 4; ++unit)
        for (uint64_t block = 0; block < 300; ++block) // more than two periods
            stamps.insert(range(pattern, unit, block * Pattern::kBlock, 16));
    EXPECT_EQ(stamps.size(), 1200u);
}

} // namespace
} // namespace synthetic
