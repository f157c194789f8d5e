// The bytes of a synthetic database: any piece of any unit, from a seed alone. What they are is
// described in README.md; this is not random in any cryptographic sense.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace synthetic {

/// Which pattern an archive was made with: a change of any byte of it needs a new number.
inline constexpr int kPatternVersion = 1;

/// Immutable, so thread-safe. Holds kPeriod bytes.
class Pattern {
public:
    static constexpr uint64_t kBlock = 64 * 1024;
    /// Longer than a frame can be, so that a codec finds no repetition within one.
    static constexpr uint64_t kPeriod = 8 * 1024 * 1024;
    static constexpr int kMaxRatio = 20;
    using Stamp = std::array<uint8_t, 16>;

    /// ratio: 1 (random bytes) to kMaxRatio; about what zstd at level 1 makes of it.
    Pattern(uint64_t seed, int ratio);

    /// The next bytes of the unit from `offset`, 1 to kBlock of them; they live in the pattern or
    /// in `room`.
    [[nodiscard]] std::span<const uint8_t> piece(uint32_t unit, uint64_t offset, Stamp& room) const;

private:
    uint64_t seed_;
    std::vector<uint8_t> period_;
};

} // namespace synthetic
