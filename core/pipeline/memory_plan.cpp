#include "core/pipeline/memory_plan.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

constexpr unsigned kFewestParts = 3; // one that fills, one under way, one of the index

void set_frame(MemoryPlan& plan, uint64_t frame_size) {
    plan.frame_size = frame_size;
    plan.frame_capacity = frame_size + frame_size / 2;
    plan.fragment_target =
        static_cast<uint32_t>(std::min<uint64_t>(frame_size / 4, uint64_t{1} << 20));
}

uint64_t cost(const MemoryPlan& plan, const MemoryRequest& request) {
    const uint64_t context = request.codec_memory ? request.codec_memory(plan.frame_capacity) : 0;
    // One context more: the index is compressed by an instance of its own.
    return plan.frames * plan.frame_capacity + plan.outputs * packed_bound(plan.frame_capacity) +
           (plan.workers + 1) * context + plan.parts * plan.part_size + 2 * request.cipher_memory;
}

} // namespace

MemoryPlan plan_memory(const MemoryRequest& request) {
    MemoryPlan plan;
    set_frame(plan, kFrameTarget);
    plan.workers = std::max(1u, request.workers);
    plan.units = std::max(1u, request.units);
    plan.part_size = std::max(request.part_size, request.smallest_part);
    plan.parts = std::max(kFewestParts, request.parts);
    const auto update = [&] {
        plan.frames = plan.units + plan.workers + 1;
        plan.outputs = plan.workers + 1;
        plan.total = cost(plan, request);
    };
    const auto lower = [&]() -> bool {
        if (plan.workers > 1)
            --plan.workers;
        else if (plan.parts > kFewestParts)
            --plan.parts;
        else if (plan.part_size > request.smallest_part)
            plan.part_size = std::max(plan.part_size / 2, request.smallest_part);
        else if (plan.units > 1)
            --plan.units;
        else if (plan.frame_size > kSmallestFrame)
            set_frame(plan, plan.frame_size / 2);
        else
            return false;
        return true;
    };
    update();
    const MemoryPlan wanted = plan;
    while (plan.total > request.budget) {
        if (!lower())
            throw bk::Error(BK_E_CONFIG,
                            "a memory budget of " + format_bytes(request.budget) + " is too small",
                            // In whole KiB: three digits of a larger unit may be rounded down.
                            "this job needs at least " +
                                std::to_string((plan.total + 1023) / 1024) + " KiB: set 'memory'");
        update();
    }
    const auto note = [&](const char* what, uint64_t from, uint64_t to) {
        if (from != to)
            plan.notes.push_back(std::string(what) + " lowered from " + std::to_string(from) +
                                 " to " + std::to_string(to) + " to stay within " +
                                 format_bytes(request.budget));
    };
    note("compressors at once", wanted.workers, plan.workers);
    note("parts in memory", wanted.parts, plan.parts);
    note("part size", wanted.part_size, plan.part_size);
    note("units read at once", wanted.units, plan.units);
    note("frame size", wanted.frame_size, plan.frame_size);
    return plan;
}

} // namespace bkhost
