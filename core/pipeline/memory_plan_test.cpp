// How the memory budget is divided: what gives way first, and that the sum never exceeds it.
#include "core/pipeline/memory_plan.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr uint64_t kKiB = 1024, kMiB = 1024 * 1024;

MemoryRequest large_request() {
    MemoryRequest request;
    request.budget = uint64_t{4} << 30;
    request.workers = 8;
    request.units = 8;
    request.part_size = 8 * kMiB;
    request.smallest_part = kMiB;
    request.parts = 6;
    request.codec_memory = [](uint64_t capacity) { return capacity / 2 + 100 * kKiB; };
    request.cipher_memory = 200 * kKiB;
    return request;
}

/// Written anew from the contract: everything that a run allocates by the plan.
uint64_t cost(const MemoryRequest& request, const MemoryPlan& plan) {
    const uint64_t codec = request.codec_memory ? request.codec_memory(plan.frame_capacity) : 0;
    return plan.frames * plan.frame_capacity + plan.outputs * packed_bound(plan.frame_capacity) +
           plan.workers * codec + codec /* of the index */ + plan.parts * plan.part_size +
           2 * request.cipher_memory;
}

/// The budget that the CONFIG error for this request names.
uint64_t named_budget(const MemoryRequest& request) {
    try {
        (void)plan_memory(request);
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CONFIG);
        const std::string hint = error.hint(), before = "at least ";
        const size_t from = hint.find(before) + before.size();
        return parse_size(hint.substr(from, hint.find(':') - from)).value_or(0);
    }
    return 0;
}

TEST(MemoryPlan, GivesAllThatIsWantedWithinALargeBudget) {
    const MemoryRequest request = large_request();
    const MemoryPlan plan = plan_memory(request);
    EXPECT_EQ(plan.workers, 8u);
    EXPECT_EQ(plan.units, 8u);
    EXPECT_EQ(plan.parts, 6u);
    EXPECT_EQ(plan.part_size, 8 * kMiB);
    EXPECT_EQ(plan.frame_size, kFrameTarget);
    EXPECT_EQ(plan.frames, 8u + 8u + 1u);
    EXPECT_EQ(plan.total, cost(request, plan));
    EXPECT_THAT(plan.notes, IsEmpty());
}

TEST(MemoryPlan, LowersWorkersThenPartsThenPartSizeThenUnitsThenTheFrameSize) {
    MemoryRequest request = large_request();
    MemoryPlan before = plan_memory(request);
    std::vector<std::string> order;
    const auto lowered = [&](const char* what) {
        if (order.empty() || order.back() != what) order.push_back(what);
    };
    const uint64_t smallest = [&] {
        MemoryRequest none = request;
        none.budget = 1;
        return named_budget(none);
    }();
    ASSERT_GT(smallest, 0u);
    while (before.total > smallest) { // one step at a time: the budget is a byte short
        request.budget = before.total - 1;
        if (request.budget < smallest) break;
        const MemoryPlan plan = plan_memory(request);
        if (plan.workers < before.workers) lowered("workers");
        if (plan.parts < before.parts) lowered("parts");
        if (plan.part_size < before.part_size) lowered("part size");
        if (plan.units < before.units) lowered("units");
        if (plan.frame_size < before.frame_size) lowered("frame size");
        before = plan;
    }
    EXPECT_THAT(order, ElementsAre("workers", "parts", "part size", "units", "frame size"));
}

TEST(MemoryPlan, NotesWhatWasLowered) {
    MemoryRequest request = large_request();
    request.budget = plan_memory(request).total - 1;
    EXPECT_THAT(plan_memory(request).notes,
                ElementsAre(HasSubstr("compressors at once lowered from 8 to 7")));
    request.budget = 1;
    request.budget = named_budget(request);
    EXPECT_THAT(plan_memory(request).notes,
                ElementsAre(HasSubstr("compressors at once lowered from 8 to 1"),
                            HasSubstr("parts in memory lowered from 6 to 3"),
                            HasSubstr("part size lowered from 8388608 to 1048576"),
                            HasSubstr("units read at once lowered from 8 to 1"),
                            HasSubstr("frame size lowered from 4194304 to 262144")));
}

TEST(MemoryPlan, KeepsAFrameAPartAndAWorkerAlthoughNoneWasAskedFor) {
    MemoryRequest request;
    request.workers = request.units = request.parts = 0;
    request.part_size = 0;
    const MemoryPlan plan = plan_memory(request);
    EXPECT_EQ(plan.workers, 1u);
    EXPECT_EQ(plan.units, 1u);
    EXPECT_GE(plan.parts, 3u);
    EXPECT_EQ(plan.part_size, request.smallest_part);
}

TEST(MemoryPlan, TooSmallABudgetNamesTheSmallestOneAndThatOneWorks) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 500; ++round) {
        MemoryRequest request = large_request();
        request.budget = random() % 1000;
        request.smallest_part = 256 * kKiB + random() % (20 * kMiB);
        request.cipher_memory = random() % (3 * kMiB);
        const uint64_t codec = random() % (40 * kMiB);
        request.codec_memory = [codec](uint64_t) { return codec; };
        request.budget = named_budget(request);
        ASSERT_GT(request.budget, 0u);
        MemoryPlan plan;
        ASSERT_NO_THROW(plan = plan_memory(request)) << request.budget;
        EXPECT_EQ(plan.workers, 1u);
        EXPECT_EQ(plan.frame_size, kSmallestFrame);
        // Really the smallest: rounded up by less than a KiB.
        EXPECT_LT(request.budget - plan.total, kKiB);
    }
}

TEST(MemoryPlan, NeverExceedsTheBudgetAndNeverLosesAFrame) {
    std::mt19937_64 random(11);
    const auto below = [&](uint64_t n) { return random() % n; };
    int planned = 0;
    for (int round = 0; round < 20000; ++round) {
        MemoryRequest request;
        request.budget = below(2) == 0 ? below(64 * kMiB) : below(uint64_t{1} << 30);
        request.workers = static_cast<unsigned>(below(40));
        request.units = static_cast<unsigned>(below(40));
        request.smallest_part = 1 + below(8 * kMiB);
        request.part_size = below(64 * kMiB);
        request.parts = static_cast<unsigned>(below(12));
        request.cipher_memory = below(kMiB);
        const uint64_t codec = below(8 * kMiB);
        if (below(3) > 0) request.codec_memory = [codec](uint64_t size) { return codec + size; };
        try {
            const MemoryPlan plan = plan_memory(request);
            ++planned;
            ASSERT_LE(cost(request, plan), request.budget);
            ASSERT_EQ(plan.total, cost(request, plan));
            ASSERT_GE(plan.frames, plan.units + 1); // what keeps the flow free of deadlock
            ASSERT_GE(plan.outputs, plan.workers);
            ASSERT_GE(plan.parts, 3u);
            ASSERT_GE(plan.part_size, request.smallest_part);
            ASSERT_GE(plan.frame_size, kSmallestFrame);
            ASSERT_GT(plan.frame_capacity, plan.frame_size);
            ASSERT_GT(plan.fragment_target, 0u);
        } catch (const bk::Error& error) {
            ASSERT_EQ(error.status(), BK_E_CONFIG);
            ASSERT_GT(named_budget(request), request.budget);
        }
    }
    EXPECT_GT(planned, 5000);
}

} // namespace
} // namespace bkhost
