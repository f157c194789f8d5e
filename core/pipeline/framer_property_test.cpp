// Many random dumps through UnitFramer and FrameFlow with the fewest frames that are allowed: every
// byte comes out, in its place, and every promise of FORMAT.md, section 3, holds.
#include "core/pipeline/framer.hpp"
#include "core/testing/time_limit.hpp"

#include <bkhost/error.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace bkhost {
namespace {

constexpr size_t kFrameSize = 2048, kCapacity = 3072;
const std::string kMarker = "00112233445566778899aabbccddeeff";

struct Fragment {
    std::string bytes;
    RowSum sum;
    bool cut = true; ///< false: the next section() or the end cuts it
};
struct Run {
    uint32_t phase = 0, step = 0;
    std::string name;
    std::vector<Fragment> fragments;
};
struct UnitPlan {
    uint32_t number = 0;
    bool ordered = false;
    std::vector<Run> runs;
};

class Records final : public DumpRecords {
public:
    void meta(const std::string&, const std::string&) override {}
    void proof(const std::string&, const std::string&, const RowSum&) override {}
};

class RandomDump {
public:
    explicit RandomDump(uint64_t seed) : random_(seed) {
        sql = below(2) == 0;
        const size_t units = 1 + below(5);
        for (uint32_t i = 0; i < units; ++i)
            plans.push_back(plan_unit(i));
    }
    bool sql = false;
    std::vector<UnitPlan> plans;

private:
    size_t below(size_t n) { return random_() % n; }
    UnitPlan plan_unit(uint32_t number) {
        UnitPlan unit{number, below(4) == 0, {}};
        uint32_t phase = 0, step = 0;
        for (size_t i = 0, runs = below(8); i < runs; ++i) {
            if (below(3) == 0 && phase < BK_PHASE_META) {
                phase += 1 + static_cast<uint32_t>(below(BK_PHASE_META - phase));
                step = 0;
            } else if (below(4) == 0) {
                step += static_cast<uint32_t>(below(3));
            }
            unit.runs.push_back(
                {phase, step, "u" + std::to_string(number) + "-" + std::to_string(below(3)), {}});
            for (size_t k = 0, n = below(12); k < n; ++k)
                unit.runs.back().fragments.push_back(fragment());
            if (!unit.runs.back().fragments.empty() && below(3) == 0)
                unit.runs.back().fragments.back().cut = false;
        }
        return unit;
    }
    Fragment fragment() {
        static constexpr size_t kLimits[] = {
            1, 10, 300, 1500, kCapacity, kCapacity + 2, 10 * kCapacity};
        Fragment made;
        made.bytes.assign(1 + below(kLimits[below(std::size(kLimits))]), '\n');
        for (size_t i = 0; i + 1 < made.bytes.size(); ++i)
            made.bytes[i] =
                sql ? static_cast<char>('a' + below(26)) : static_cast<char>(below(256));
        made.sum = {below(5), 0, 0, true};
        if (made.sum.rows > 0) made.sum.low = random_() | 1, made.sum.high = random_();
        return made;
    }
    std::mt19937_64 random_;
};

void write_unit(const UnitPlan& plan, UnitFramer& framer, uint64_t seed) {
    std::mt19937_64 random(seed);
    for (const Run& run : plan.runs) {
        framer.section({sizeof(bk_section), run.phase, run.step,
                        plan.ordered ? uint32_t{BK_SECTION_ORDERED} : 0u, "table", "main",
                        run.name.c_str(), "", 0});
        for (const Fragment& fragment : run.fragments) {
            std::span<const uint8_t> left(reinterpret_cast<const uint8_t*>(fragment.bytes.data()),
                                          fragment.bytes.size());
            while (!left.empty()) { // the dumper's writes have nothing to do with its fragments
                const size_t n = std::min<size_t>(left.size(), 1 + random() % 4000);
                framer.write(left.first(n));
                left = left.subspan(n);
            }
            if (fragment.cut) framer.cut(fragment.sum);
        }
    }
    framer.finish();
}

/// A frame as it went into the volume.
struct Seen {
    Frame head; ///< without its data
    std::string bytes;
};

std::vector<Seen> run(const RandomDump& dump, uint64_t seed, SectionTable& sections,
                      std::stop_source& stop) {
    // The fewest frames with which the flow promises to go on: units + 1.
    FrameFlow flow(static_cast<unsigned>(dump.plans.size()) + 1, kCapacity, stop.get_token());
    Records records;
    std::vector<Seen> seen;
    std::jthread taker([&] {
        try {
            while (FramePtr frame = flow.next()) {
                Seen one;
                one.bytes.assign(reinterpret_cast<const char*>(frame->data.get()), frame->size);
                one.head.seq = frame->seq;
                one.head.phase = frame->phase;
                one.head.step = frame->step;
                one.head.more = frame->more;
                one.head.segments = frame->segments;
                seen.push_back(std::move(one));
                flow.recycle(std::move(frame));
            }
        } catch (const bk::Error&) {
            EXPECT_TRUE(stop.stop_requested());
        }
    });
    {
        std::vector<std::jthread> threads;
        for (const UnitPlan& plan : dump.plans)
            threads.emplace_back([&] {
                UnitFramer framer(
                    {plan.number, 0, plan.ordered, dump.sql ? kMarker : "", kFrameSize, 512}, flow,
                    sections, records);
                try {
                    write_unit(plan, framer, seed + plan.number);
                } catch (const bk::Error& error) {
                    ADD_FAILURE() << error.what();
                    stop.request_stop();
                }
            });
    }
    flow.close();
    taker.join();
    return seen;
}

/// What a section must be: its bytes, its sums, and the offsets at which fragments end.
struct Expected {
    std::string bytes;
    RowSum sum;
    std::set<uint64_t> ends{0};
};
using SectionKey = std::tuple<std::string, uint32_t, uint32_t>;

std::map<SectionKey, Expected> expected_sections(const RandomDump& dump) {
    std::map<SectionKey, Expected> all;
    for (const UnitPlan& unit : dump.plans)
        for (const Run& one : unit.runs) {
            if (one.fragments.empty()) continue;
            Expected& section = all[{one.name, one.phase, one.step}];
            for (const Fragment& fragment : one.fragments) {
                section.bytes += fragment.bytes;
                section.ends.insert(section.bytes.size());
                if (fragment.cut) section.sum.add(fragment.sum);
            }
        }
    return all;
}

/// Checks the frames one after the other, as a reader of the format would.
class Checker {
public:
    Checker(const RandomDump& dump, const SectionTable& sections)
        : dump_(dump), sections_(sections), expected_(expected_sections(dump)) {}

    void frame(const Seen& seen) {
        const Frame& head = seen.head;
        ASSERT_EQ(head.seq, next_seq_++);
        ASSERT_GT(seen.bytes.size(), 0u);
        ASSERT_LE(seen.bytes.size(), kCapacity);
        ASSERT_FALSE(head.segments.empty());
        ASSERT_EQ(head.segments.front().continued, open_.has_value()) << "a group was interrupted";
        uint64_t at = 0;
        for (size_t i = 0; i < head.segments.size(); ++i) {
            const Segment& segment = head.segments[i];
            const SectionInfo& info = sections_.at(segment.section);
            ASSERT_EQ(info.phase, head.phase);
            ASSERT_EQ(info.step, head.step);
            ASSERT_TRUE(i == 0 || !segment.continued);
            const std::string marker =
                dump_.sql && !segment.continued ? section_marker(info, kMarker) : std::string();
            ASSERT_EQ(seen.bytes.substr(at, segment.offset - at), marker);
            if (!marker.empty()) {
                ASSERT_TRUE(stream_.empty() || stream_.back() == '\n');
            }
            stream_ += seen.bytes.substr(at, segment.offset + segment.length - at);
            at = segment.offset + segment.length;
            check_segment(segment, info, seen.bytes, head.more && i + 1 == head.segments.size());
        }
        ASSERT_EQ(at, seen.bytes.size());
        check_unit(sections_.at(head.segments.front().section), head);
    }

    void end() {
        ASSERT_FALSE(open_.has_value());
        for (const auto& [key, expected] : expected_) {
            const Expected& got = got_[key];
            ASSERT_EQ(got.bytes == expected.bytes, true) << std::get<0>(key);
            EXPECT_EQ(got.sum.rows, expected.sum.rows);
            EXPECT_EQ(got.sum.low, expected.sum.low);
            EXPECT_EQ(got.sum.high, expected.sum.high);
            EXPECT_TRUE(got.sum.digest_known);
        }
        ASSERT_EQ(got_.size(), expected_.size());
        if (dump_.sql) read_without_index();
    }

private:
    void check_segment(const Segment& segment, const SectionInfo& info, const std::string& bytes,
                       bool goes_on) {
        const SectionKey key{info.name, info.phase, info.step};
        const Expected& expected = expected_.at(key);
        Expected& got = got_[key];
        if (segment.continued) {
            ASSERT_EQ(*open_, segment.section);
            open_.reset();
        } else {
            ASSERT_TRUE(expected.ends.contains(got.bytes.size())) << "begins inside a fragment";
        }
        got.bytes += bytes.substr(segment.offset, segment.length);
        got.sum.add(segment.sum);
        if (goes_on)
            open_ = segment.section;
        else
            ASSERT_TRUE(expected.ends.contains(got.bytes.size())) << "ends inside a fragment";
    }

    /// Frames of one unit only in each frame; those of an ordered one without others between them.
    void check_unit(const SectionInfo& info, const Frame& head) {
        const auto unit = static_cast<uint32_t>(std::stoul(info.name.substr(1)));
        for (const Segment& segment : head.segments)
            ASSERT_TRUE(
                sections_.at(segment.section).name.starts_with("u" + std::to_string(unit) + "-"));
        for (uint32_t done : ended_ordered_)
            ASSERT_NE(done, unit) << "an ordered unit interleaved";
        if (last_unit_ && *last_unit_ != unit && dump_.plans[*last_unit_].ordered)
            ended_ordered_.push_back(*last_unit_);
        last_unit_ = unit;
        auto& [phase, step] = reached_[unit];
        ASSERT_LE(std::pair(phase, step), std::pair(head.phase, head.step));
        phase = head.phase;
        step = head.step;
    }

    /// As a stranger with nothing but the stream: the marker lines alone tell the sections apart.
    void read_without_index() {
        std::map<std::string, std::string> by_marker, by_index;
        std::string* to = nullptr;
        for (size_t at = 0; at < stream_.size();) {
            const size_t end = stream_.find('\n', at) + 1;
            ASSERT_NE(end, 0u) << "the stream does not end in a newline";
            const std::string line = stream_.substr(at, end - at);
            if (line.starts_with(marker_start(kMarker)))
                to = &by_marker[line];
            else if (to != nullptr)
                *to += line;
            at = end;
        }
        for (uint32_t i = 0; i < sections_.size(); ++i) {
            const SectionInfo& info = sections_.at(i);
            const auto found = got_.find({info.name, info.phase, info.step});
            if (found != got_.end()) by_index[section_marker(info, kMarker)] = found->second.bytes;
        }
        ASSERT_TRUE(by_marker == by_index);
    }

    const RandomDump& dump_;
    const SectionTable& sections_;
    const std::map<SectionKey, Expected> expected_;
    std::map<SectionKey, Expected> got_;
    std::string stream_;
    uint64_t next_seq_ = 0;
    std::optional<uint32_t> open_; ///< section of a group that goes on
    std::optional<uint32_t> last_unit_;
    std::vector<uint32_t> ended_ordered_;
    std::map<uint32_t, std::pair<uint32_t, uint32_t>> reached_; ///< phase and step of each unit
};

TEST(FramerProperty, EveryByteComesOutInItsPlace) {
    std::stop_source stop;
    test::with_time_limit(stop, [&] {
        for (uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
            SCOPED_TRACE("seed " + std::to_string(seed));
            const RandomDump dump(seed);
            SectionTable sections;
            const std::vector<Seen> frames = run(dump, seed, sections, stop);
            Checker checker(dump, sections);
            for (const Seen& frame : frames) {
                checker.frame(frame);
                if (testing::Test::HasFatalFailure()) return;
            }
            checker.end();
        }
    });
}

} // namespace
} // namespace bkhost
