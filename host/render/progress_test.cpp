#include "host/render/progress.hpp"
#include "host/render/pty_for_test.hpp"
#include "host/render/terminal_log.hpp"
#include "host/render/terminal_text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

class ManualClock final : public Clock {
public:
    [[nodiscard]] int64_t monotonic_ms() const override { return now_ms; }
    std::atomic<int64_t> now_ms{1000};
};

constexpr uint64_t kMiB = 1u << 20;

ProgressSnapshot example() {
    return {.stage = "shop: dumping",
            .plain_bytes = 300 * kMiB,
            .stored_bytes = 100 * kMiB,
            .total_bytes = 1000 * kMiB,
            .rows = 5,
            .rate_bps = 50 * kMiB,
            .eta_ms = 14'400,
            .elapsed_ms = 6'900};
}

} // namespace

TEST(ProgressLine, SaysAllWhereThereIsRoom) {
    EXPECT_EQ(format_progress_line(example(), 200),
              "shop: dumping  300 MiB/0.98 GiB  30%  50.0 MiB/s  eta 14s  elapsed 6s  ratio 3.0");
}

TEST(ProgressLine, IsNeverWiderThanAskedFor) {
    ProgressSnapshot wide = example();
    wide.stage = "日本語の店: dumping";
    for (size_t width = 0; width < 100; ++width) {
        EXPECT_LE(display_width(format_progress_line(example(), width)), width);
        EXPECT_LE(display_width(format_progress_line(wide, width)), width);
    }
    EXPECT_EQ(format_progress_line(example(), 40), "shop: dumping  300 MiB/0.98 GiB  30%");
    EXPECT_EQ(format_progress_line(example(), 9), "shop: dum");
}

TEST(ProgressLine, LeavesOutWhatIsNotKnown) {
    EXPECT_EQ(format_progress_line({.stage = "x", .plain_bytes = 10, .elapsed_ms = 61'000}, 80),
              "x  10 B  elapsed 1m01s");
    EXPECT_EQ(format_progress_line({}, 80), "0 B  elapsed 0s");
}

TEST(ProgressLine, NeverSaysMoreThanAHundredPercent) {
    EXPECT_EQ(format_progress_line({.stage = "x", .plain_bytes = 30, .total_bytes = 20}, 80),
              "x  30 B/20 B  100%  elapsed 0s");
}

TEST(ProgressLine, AStageCannotSteerTheTerminal) {
    EXPECT_EQ(format_progress_line({.stage = "a\x1b[2Jb\n"}, 10), "a\\x1b[2Jb\\");
}

TEST(ProgressJson, HasEveryKeyAndNullForTheUnknown) {
    EXPECT_EQ(format_progress_json({.stage = "a\n\xff", .plain_bytes = 7}),
              R"({"t":"progress","stage":"a\n)"
              "\xef\xbf\xbd"
              R"(","plain_bytes":7,"stored_bytes":0,"total_bytes":null,"rows":0,)"
              R"("rate_bps":null,"eta_ms":null,"elapsed_ms":0})");
    const auto object = nlohmann::json::parse(format_progress_json(example()));
    EXPECT_EQ(object["total_bytes"], 1000 * kMiB);
    EXPECT_EQ(object["rate_bps"], 50 * kMiB);
    EXPECT_EQ(object["eta_ms"], 14'400);
}

TEST(ProgressMeter, RateIsOfTheLastSeconds) {
    ManualClock clock;
    ProgressState state;
    ProgressMeter meter(state, clock);
    state.begin("x", 1000);
    EXPECT_FALSE(meter.sample().rate_bps);
    for (int i = 0; i < 20; ++i) { // 10 bytes a second for twenty seconds
        clock.now_ms += 1000;
        state.plain_bytes += 10;
        EXPECT_EQ(meter.sample().rate_bps, 10u);
    }
    ProgressSnapshot last;
    for (int i = 0; i < 10; ++i) { // then 50: the old ones are forgotten
        clock.now_ms += 1000;
        state.plain_bytes += 50;
        last = meter.sample();
    }
    EXPECT_EQ(last.rate_bps, 50u);
    EXPECT_EQ(last.eta_ms, 6000);
    EXPECT_EQ(last.elapsed_ms, 30'000);
}

TEST(ProgressMeter, ARateNeedsHalfASecond) {
    ManualClock clock;
    ProgressState state;
    ProgressMeter meter(state, clock);
    state.begin("x");
    (void)meter.sample();
    state.plain_bytes = 100;
    clock.now_ms += 499;
    EXPECT_FALSE(meter.sample().rate_bps);
    clock.now_ms += 1;
    EXPECT_EQ(meter.sample().rate_bps, 200u);
}

TEST(ProgressMeter, SeldomSamplesStillGiveARate) {
    ManualClock clock;
    ProgressState state;
    ProgressMeter meter(state, clock);
    state.begin("x");
    (void)meter.sample();
    for (int i = 0; i < 3; ++i) {
        clock.now_ms += 60'000;
        state.plain_bytes += 6000;
        EXPECT_EQ(meter.sample().rate_bps, 100u);
    }
}

TEST(ProgressMeter, NewWorkBeginsAnew) {
    ManualClock clock;
    ProgressState state;
    ProgressMeter meter(state, clock);
    state.begin("one", 10);
    state.plain_bytes = 500;
    state.rows = 3;
    clock.now_ms += 5000;
    (void)meter.sample();
    state.begin("two");
    clock.now_ms += 1000;
    const ProgressSnapshot snapshot = meter.sample();
    EXPECT_EQ(snapshot.stage, "two");
    EXPECT_EQ(snapshot.plain_bytes + snapshot.rows + snapshot.total_bytes, 0u);
    EXPECT_EQ(snapshot.elapsed_ms, 0);
    EXPECT_FALSE(snapshot.rate_bps);
}

TEST(ProgressMeter, AStandstillHasNoRemainingTime) {
    ManualClock clock;
    ProgressState state;
    ProgressMeter meter(state, clock);
    state.begin("x", 100);
    (void)meter.sample();
    clock.now_ms += 5000;
    const ProgressSnapshot snapshot = meter.sample();
    EXPECT_EQ(snapshot.rate_bps, 0u);
    EXPECT_FALSE(snapshot.eta_ms);
}

TEST(ProgressMode, WordsAreRead) {
    EXPECT_EQ(parse_progress_mode("auto"), ProgressMode::automatic);
    EXPECT_EQ(parse_progress_mode("plain"), ProgressMode::plain);
    EXPECT_EQ(parse_progress_mode("json"), ProgressMode::json);
    EXPECT_EQ(parse_progress_mode("none"), ProgressMode::none);
    EXPECT_FALSE(parse_progress_mode("yes"));
}

TEST(ProgressRenderer, DrawsOneLineAndRemovesIt) {
    Pty pty;
    Screen screen(pty.slave());
    ProgressState state;
    ProgressRenderer renderer(screen, ProgressMode::automatic, state, Clock::system(), 1);
    state.begin("shop: dumping", 800);
    state.plain_bytes = 400;
    const std::string drawn = pty.read_until("400 B/800 B  50%");
    EXPECT_TRUE(drawn.starts_with("\rshop: dumping")) << drawn;
    TerminalLog(screen, Verbosity::normal).warn("careful");
    pty.read_until("\r\x1b[K\x1b[33mwarning:\x1b[0m careful\r\nshop: dumping");
    renderer.stop();
    const std::string rest = pty.read_rest();
    EXPECT_TRUE(rest.ends_with("\r\x1b[K")) << rest;
    EXPECT_EQ(rest.find('\n'), std::string::npos);
}

TEST(ProgressRenderer, WritesLinesWherePlainIsAskedFor) {
    Pty pty(20); // narrower than the line, which is not cut
    Screen screen(pty.slave());
    ProgressState state;
    state.begin("shop");
    state.stored_bytes = 1;
    state.plain_bytes = 500;
    ProgressRenderer renderer(screen, ProgressMode::plain, state, Clock::system(), 1);
    EXPECT_EQ(pty.read_until("ratio 500.0\r\n").substr(0, 13), "shop  500 B  ");
}

TEST(ProgressRenderer, AShortRunStillGivesItsTotalsAsJson) {
    int fds[2];
    ASSERT_EQ(::pipe(fds), 0);
    {
        Screen screen(fds[1]);
        ProgressState state;
        ProgressRenderer renderer(screen, ProgressMode::json, state);
        state.begin("shop");
        state.plain_bytes = 42;
        renderer.stop();
        renderer.stop();
    }
    ::close(fds[1]);
    std::array<char, 4096> bytes{};
    const ssize_t got = ::read(fds[0], bytes.data(), bytes.size());
    ::close(fds[0]);
    ASSERT_GT(got, 0);
    const auto object = nlohmann::json::parse(bytes.data(), bytes.data() + got);
    EXPECT_EQ(object["plain_bytes"], 42);
}

TEST(ProgressRenderer, ShowsNothingWithoutWorkOrWithNone) {
    Pty pty;
    {
        Screen screen(pty.slave());
        ProgressState state;
        ProgressRenderer idle(screen, ProgressMode::json, state, Clock::system(), 1);
        idle.stop();
        state.begin("shop");
        ProgressRenderer none(screen, ProgressMode::none, state, Clock::system(), 1);
    }
    EXPECT_EQ(pty.read_rest(), "");
}

} // namespace bkhost
