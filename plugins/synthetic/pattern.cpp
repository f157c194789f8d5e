// One period is made beforehand; every unit repeats it from a place of its own. Each block begins
// with a stamp of seed, unit and block, so that no two blocks of a dump are alike.
#include "pattern.hpp"

#include <algorithm>
#include <cstring>

namespace synthetic {
namespace {

/// SplitMix64 (public domain, Sebastiano Vigna): one multiplication chain a number.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t next() {
        uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    /// 0..bound-1; the slight bias of the multiplication does not matter here.
    uint32_t below(uint32_t bound) { return static_cast<uint32_t>(((next() >> 32) * bound) >> 32); }

private:
    uint64_t state_;
};

void put_number(uint8_t* to, uint64_t number) {
    for (int i = 0; i < 8; ++i)
        to[i] = static_cast<uint8_t>(number >> (8 * i)); // the same bytes on every machine
}

void fill_random(std::vector<uint8_t>& bytes, Random& random) {
    for (size_t i = 0; i + 8 <= bytes.size(); i += 8)
        put_number(bytes.data() + i, random.next());
}

constexpr uint32_t kLetters = 64;     ///< a literal is worth six bits
constexpr uint32_t kMeanLiterals = 8; ///< between two repetitions
constexpr uint32_t kReach = 8 * 1024; ///< how far back a repetition lies at most

/// Text-like: a few letters, then a repetition of what stands shortly before, and so on. How long
/// the repetitions are decides the ratio.
void fill_text(std::vector<uint8_t>& bytes, Random& random, int ratio) {
    const double cost = 9.2 + 0.32 * ratio; // bytes that zstd -1 spends on both, measured
    const auto mean = static_cast<uint32_t>(std::max(4.0, ratio * cost - kMeanLiterals));
    size_t at = 0;
    while (at < bytes.size()) {
        const uint32_t literals = at < kReach ? kReach : kMeanLiterals / 2 + random.below(9);
        const size_t stop = std::min(bytes.size(), at + literals);
        while (at < stop)
            bytes[at++] = static_cast<uint8_t>('0' + random.below(kLetters));
        const uint32_t length = mean / 2 + random.below(mean + 1);
        size_t from = at - 1 - random.below(kReach - 1);
        for (const size_t end = std::min(bytes.size(), at + length); at < end; ++at)
            bytes[at] = bytes[from++];
    }
}

} // namespace

Pattern::Pattern(uint64_t seed, int ratio) : seed_(seed), period_(kPeriod) {
    Random random(seed ^ (static_cast<uint64_t>(ratio) << 56));
    if (ratio <= 1)
        fill_random(period_, random);
    else
        fill_text(period_, random, std::min(ratio, kMaxRatio));
}

std::span<const uint8_t> Pattern::piece(uint32_t unit, uint64_t offset, Stamp& room) const {
    const uint64_t block = offset / kBlock, in_block = offset % kBlock;
    if (in_block < room.size()) {
        Random random(seed_ ^ (uint64_t{unit} << 40) ^ block);
        put_number(room.data(), random.next());
        put_number(room.data() + 8, random.next());
        return std::span(room).subspan(in_block);
    }
    constexpr uint64_t kBlocks = kPeriod / kBlock;
    const uint64_t place = (block + uint64_t{unit} * 37) % kBlocks * kBlock; // 37: no neighbours
    return std::span(period_).subspan(place + in_block, kBlock - in_block);
}

} // namespace synthetic
