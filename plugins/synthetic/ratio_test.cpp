// What a real codec makes of the pattern, by frames as the host cuts them.
#include "pattern.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <algorithm>

namespace synthetic {
namespace {

constexpr uint64_t kFrame = 4 * 1024 * 1024;

/// Plain over compressed size of `count` frames, the largest one of any frame.
double best_ratio(const Pattern& pattern, int level, uint64_t count) {
    double best = 0;
    std::vector<uint8_t> packed(ZSTD_compressBound(kFrame));
    for (uint64_t frame = 0; frame < count; ++frame) {
        std::vector<uint8_t> plain;
        Pattern::Stamp room;
        while (plain.size() < kFrame) {
            const auto piece = pattern.piece(3, frame * kFrame + plain.size(), room);
            plain.insert(plain.end(), piece.begin(), piece.end());
        }
        plain.resize(kFrame);
        const size_t size =
            ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), level);
        best = std::max(best, static_cast<double>(kFrame) / static_cast<double>(size));
    }
    return best;
}

TEST(Ratio, IsAboutWhatWasAskedForAtLevelOne) {
    for (const int ratio : {2, 3, 4, 6, 10, 20}) {
        const double real = best_ratio(Pattern(5, ratio), 1, 4);
        EXPECT_GT(real, ratio * 0.85) << real;
        EXPECT_LT(real, ratio * 1.15);
    }
}

TEST(Ratio, OneCannotBeCompressed) { EXPECT_LT(best_ratio(Pattern(5, 1), 3, 4), 1.01); }

TEST(Ratio, AHigherLevelFindsNoShortcut) {
    EXPECT_LT(best_ratio(Pattern(5, 3), 9, 1), 3 * 1.4); // a period within a frame would be 5 or so
}

} // namespace
} // namespace synthetic
