#include "host/render/progress.hpp"

#include "core/base/text.hpp"
#include "host/render/terminal_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <utility>
#include <vector>

namespace bkhost {
namespace {
constexpr int64_t kRateWindowMs = 10'000;
constexpr int64_t kLeastRateMs = 500; // over less, a rate is noise
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();
constexpr size_t kLeastStage = 12; // columns that the stage keeps as long as details can go

/// In whole seconds, so that the line does not flicker.
std::string format_seconds(int64_t ms) {
    return ms < 60'000 ? std::to_string(ms / 1000) + "s" : format_duration(ms);
}

std::string format_ratio(const ProgressSnapshot& s) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "ratio %.1f",
                  static_cast<double>(s.plain_bytes) / static_cast<double>(s.stored_bytes));
    return text.data();
}

std::string format_percent(const ProgressSnapshot& s) {
    const double part = static_cast<double>(s.plain_bytes) / static_cast<double>(s.total_bytes);
    return std::to_string(static_cast<int>(std::min(part, 1.0) * 100)) + "%";
}

/// The most important first.
std::vector<std::string> details(const ProgressSnapshot& s) {
    const bool has_total = s.total_bytes > 0;
    std::vector<std::string> out{format_bytes(s.plain_bytes)};
    if (has_total) out.front().append("/").append(format_bytes(s.total_bytes));
    if (has_total) out.push_back(format_percent(s));
    if (s.rate_bps) out.push_back(format_bytes(*s.rate_bps) + "/s");
    if (s.eta_ms) out.push_back(std::string("eta ").append(format_seconds(*s.eta_ms)));
    out.push_back(std::string("elapsed ").append(format_seconds(s.elapsed_ms)));
    if (s.plain_bytes > 0 && s.stored_bytes > 0) out.push_back(format_ratio(s));
    return out;
}

} // namespace

void ProgressState::begin(std::string stage, uint64_t total) {
    set_stage(std::move(stage));
    plain_bytes = 0;
    stored_bytes = 0;
    rows = 0;
    total_bytes = total;
    ++generation_;
}

void ProgressState::set_stage(std::string stage) {
    const std::lock_guard lock(mutex_);
    stage_ = std::move(stage);
}

std::string ProgressState::stage() const {
    const std::lock_guard lock(mutex_);
    return stage_;
}

ProgressMeter::ProgressMeter(const ProgressState& state, const Clock& clock)
    : state_(state), clock_(clock), generation_(state.generation()) {
    restart(clock.monotonic_ms());
}

void ProgressMeter::restart(int64_t now_ms) {
    begin_ms_ = now_ms;
    samples_.assign(1, {now_ms, 0});
}

ProgressSnapshot ProgressMeter::sample() {
    const int64_t now = clock_.monotonic_ms();
    const uint64_t generation = state_.generation();
    if (std::exchange(generation_, generation) != generation) restart(now);

    ProgressSnapshot s{state_.stage(), state_.plain_bytes, state_.stored_bytes, state_.total_bytes,
                       state_.rows,    std::nullopt,       std::nullopt,        now - begin_ms_};
    samples_.push_back({now, s.plain_bytes});
    while (samples_.size() > 2 && now - samples_.front().at_ms > kRateWindowMs)
        samples_.pop_front();

    const Sample& oldest = samples_.front();
    if (now - oldest.at_ms < kLeastRateMs || s.plain_bytes < oldest.plain_bytes) return s;
    const double rate = static_cast<double>(s.plain_bytes - oldest.plain_bytes) * 1000 /
                        static_cast<double>(now - oldest.at_ms);
    s.rate_bps = static_cast<uint64_t>(rate);
    if (s.total_bytes > 0 && rate >= 1) {
        const uint64_t left = s.total_bytes - std::min(s.plain_bytes, s.total_bytes);
        s.eta_ms = static_cast<int64_t>(static_cast<double>(left) / rate * 1000);
    }
    return s;
}

std::string format_progress_line(const ProgressSnapshot& snapshot, size_t width) {
    const std::string stage = escape_terminal(snapshot.stage);
    const size_t stage_width = display_width(stage);
    std::vector<std::string> parts = details(snapshot);
    const auto details_width = [&] { // with the two spaces before each
        size_t sum = 0;
        for (const std::string& part : parts)
            sum += part.size() + 2;
        return sum;
    };
    while (!parts.empty() && std::min(stage_width, kLeastStage) + details_width() > width)
        parts.pop_back();

    std::string line(cut_to_width(stage, width - details_width()));
    for (const std::string& part : parts)
        line += (line.empty() ? "" : "  ") + part;
    return line;
}

std::string format_progress_json(const ProgressSnapshot& s) {
    nlohmann::ordered_json object{{"t", "progress"},
                                  {"stage", s.stage},
                                  {"plain_bytes", s.plain_bytes},
                                  {"stored_bytes", s.stored_bytes},
                                  {"total_bytes", nullptr},
                                  {"rows", s.rows},
                                  {"rate_bps", nullptr},
                                  {"eta_ms", nullptr},
                                  {"elapsed_ms", s.elapsed_ms}};
    if (s.total_bytes > 0) object["total_bytes"] = s.total_bytes;
    if (s.rate_bps) object["rate_bps"] = *s.rate_bps;
    if (s.eta_ms) object["eta_ms"] = *s.eta_ms;
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<ProgressMode> parse_progress_mode(std::string_view word) {
    if (word == "auto") return ProgressMode::automatic;
    if (word == "plain") return ProgressMode::plain;
    if (word == "json") return ProgressMode::json;
    if (word == "none") return ProgressMode::none;
    return std::nullopt;
}

ProgressRenderer::ProgressRenderer(Screen& screen, ProgressMode mode, const ProgressState& state,
                                   const Clock& clock, int64_t interval_ms)
    : screen_(screen), state_(state), meter_(state, clock) {
    if (mode == ProgressMode::none) return;
    if (mode == ProgressMode::json)
        style_ = Style::json;
    else if (mode == ProgressMode::automatic && screen.can_redraw())
        style_ = Style::drawn;
    const int64_t usual = style_ == Style::drawn ? 200 : style_ == Style::json ? 1000 : 10'000;
    interval_ms_ = interval_ms > 0 ? interval_ms : usual;
    thread_ = std::thread([this] { run(); });
}

ProgressRenderer::~ProgressRenderer() { stop(); }

void ProgressRenderer::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    screen_.set_status({});
}

void ProgressRenderer::run() {
    const std::chrono::milliseconds interval(interval_ms_);
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, interval, [this] { return stopping_; })) {
        lock.unlock(); // a slow terminal must not hold up stop()'s flag
        show();
        lock.lock();
    }
    if (style_ == Style::json) show(); // the totals, also of work that took less than the interval
}

void ProgressRenderer::show() {
    if (state_.generation() == 0) return;
    const ProgressSnapshot snapshot = meter_.sample();
    switch (style_) {
    case Style::drawn:
        screen_.set_status(format_progress_line(snapshot, screen_.width() - 1));
        break;
    case Style::plain: screen_.write_line(format_progress_line(snapshot, kNoLimit)); break;
    case Style::json: screen_.write_line(format_progress_json(snapshot)); break;
    }
}

} // namespace bkhost
