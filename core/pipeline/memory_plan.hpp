// How one memory budget is divided among the stages of a run. A pure function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bkhost {

inline constexpr uint64_t kDefaultBudget = uint64_t{96} << 20;
inline constexpr uint64_t kFrameTarget = uint64_t{4} << 20;
inline constexpr uint64_t kSmallestFrame = uint64_t{256} << 10;

struct MemoryRequest {
    uint64_t budget = kDefaultBudget;
    unsigned workers = 1;                       ///< wanted compressors at once
    unsigned units = 1;                         ///< units of the dump that may be read at once
    uint64_t part_size = uint64_t{4} << 20;     ///< wanted, bytes
    uint64_t smallest_part = uint64_t{1} << 20; ///< what the storages take
    unsigned parts = 4;                         ///< wanted parts in memory
    std::function<uint64_t(uint64_t frame_capacity)> codec_memory; ///< of one context; may be empty
    uint64_t cipher_memory = 0;
};

struct MemoryPlan {
    uint64_t frame_size = 0;     ///< a frame is closed at the first cut past this
    uint64_t frame_capacity = 0; ///< what a frame can hold
    uint32_t fragment_target = 0;
    unsigned frames = 0;  ///< at least units + 1
    unsigned outputs = 0; ///< compressed frames
    unsigned workers = 0;
    unsigned units = 0;
    uint64_t part_size = 0;
    unsigned parts = 0;
    uint64_t total = 0;             ///< bytes that the plan uses
    std::vector<std::string> notes; ///< what had to be lowered, for -v
};

/// Lowers workers, then parts, then their size, then units, then the frame size until all fits into
/// the budget. Throws CONFIG, naming the smallest budget that does (in KiB), when nothing fits.
[[nodiscard]] MemoryPlan plan_memory(const MemoryRequest& request);

/// Bytes that a compressed frame may take at most, with any codec worth the name; a larger one
/// makes its buffer grow.
[[nodiscard]] constexpr uint64_t packed_bound(uint64_t plain) noexcept {
    return plain + plain / 128 + 4096;
}

} // namespace bkhost
