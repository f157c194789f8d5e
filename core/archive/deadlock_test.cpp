// The smallest budget that the memory plan allows must carry any dump to its end.
#include "core/testing/archive_bed.hpp"
#include "core/testing/time_limit.hpp"

#include "core/base/text.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace bkhost {
namespace {

using namespace test;

constexpr uint64_t kHuge = uint64_t{64} << 20;
constexpr int kUnits = 8;

MemoryRequest request(unsigned workers, unsigned units) {
    MemoryRequest request;
    request.workers = workers;
    request.units = units;
    request.smallest_part = request.part_size = 256 * 1024;
    request.parts = 3;
    request.codec_memory = [](uint64_t) { return uint64_t{1024}; };
    return request;
}

/// The plan of the budget that the error names.
MemoryPlan smallest_plan(unsigned workers, unsigned units) {
    MemoryRequest small = request(workers, units);
    small.budget = 1;
    try {
        (void)plan_memory(small);
    } catch (const bk::Error& error) {
        const std::string hint = error.hint(), before = "at least ";
        const size_t from = hint.find(before) + before.size();
        small.budget = parse_size(hint.substr(from, hint.find(':') - from)).value_or(1);
    }
    return plan_memory(small);
}

/// The smallest of everything, but all units at once.
MemoryPlan crowded_plan() {
    MemoryPlan plan = smallest_plan(1, 1);
    plan.units = kUnits;
    plan.frames = plan.units + 1; // the fewest with which FrameFlow promises to go on
    plan.outputs = 1;
    return plan;
}

/// Eight units of 2 MiB in odd fragments; the third has one of 64 MiB in its middle.
std::vector<UnitBody> units(int ordered) {
    std::vector<UnitBody> all;
    for (int u = 0; u < kUnits; ++u)
        all.push_back({[u](bk::Sink sink) {
                           const std::string name = "t" + std::to_string(u);
                           for (uint64_t i = 0; i < 40; ++i) {
                               write_fragment(sink, name, filling(i, 50'000 + i * 777));
                               if (u != 2 || i != 20) continue;
                               const std::string piece = filling(99, 1 << 20);
                               for (uint64_t done = 0; done < kHuge; done += piece.size())
                                   sink.write(piece);
                               sink.cut(1);
                           }
                       },
                       u < ordered});
    return all;
}

void dump_all(const MemoryPlan& plan, int ordered) {
    ArchiveBed bed;
    WriteSpec spec;
    spec.storages = {&bed.storage("a")};
    spec.compressor = bed.compressor();
    spec.encryptor = nullptr;
    spec.units = units(ordered);
    spec.plan = plan;
    with_time_limit(bed.stop, [&] { bed.write(spec); });
    EXPECT_GT(bed.manifest.plain_size, kHuge + 7 * (2 << 20));
    EXPECT_EQ(bed.manifest.components.front().rows, kUnits * 40u + 1u);
}

TEST(NoDeadlock, SmallestBudgetWithAFragmentOfSixtyFourMebibytes) {
    dump_all(smallest_plan(4, kUnits), 0);
}

TEST(NoDeadlock, FewestFramesWithAllUnitsAtOnceAndOneWorker) { dump_all(crowded_plan(), 0); }

TEST(NoDeadlock, FewestFramesWithThreeOrderedUnitsAmongThem) { dump_all(crowded_plan(), 3); }

} // namespace
} // namespace bkhost
