// How far the work is, for people and for programs. Whoever works adds to a ProgressState; a
// ProgressRenderer shows it from a thread of its own. The texts come from pure functions.
#pragma once

#include "core/base/clock.hpp"
#include "host/render/screen.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace bkhost {

/// Thread-safe. The counters belong to one piece of work (one backup, one restore).
class ProgressState {
public:
    std::atomic<uint64_t> plain_bytes{0};  ///< read from or given to the database
    std::atomic<uint64_t> stored_bytes{0}; ///< written to or read from the storage
    std::atomic<uint64_t> total_bytes{0};  ///< of plain_bytes at the end; 0: unknown
    std::atomic<uint64_t> rows{0};

    /// Starts a piece of work: counters at zero, and rate and elapsed time begin anew.
    void begin(std::string stage, uint64_t total = 0);
    /// What is being done now: "shop: dumping". The counters stay.
    void set_stage(std::string stage);
    [[nodiscard]] std::string stage() const;
    /// Grows with every begin().
    [[nodiscard]] uint64_t generation() const noexcept { return generation_; }

private:
    std::atomic<uint64_t> generation_{0};
    mutable std::mutex mutex_; ///< guards stage_
    std::string stage_;
};

/// One look at the work.
struct ProgressSnapshot {
    std::string stage;
    uint64_t plain_bytes = 0, stored_bytes = 0, total_bytes = 0, rows = 0;
    std::optional<uint64_t> rate_bps = std::nullopt; ///< of plain bytes lately; none: too early
    std::optional<int64_t> eta_ms = std::nullopt;    ///< none: total or rate unknown
    int64_t elapsed_ms = 0;
};

/// Turns the counters into snapshots, with rate and remaining time. Confined.
class ProgressMeter {
public:
    /// Both must outlive the meter.
    ProgressMeter(const ProgressState& state, const Clock& clock);
    [[nodiscard]] ProgressSnapshot sample();

private:
    struct Sample {
        int64_t at_ms;
        uint64_t plain_bytes;
    };
    void restart(int64_t now_ms);

    const ProgressState& state_;
    const Clock& clock_;
    uint64_t generation_ = 0;
    int64_t begin_ms_ = 0;
    std::deque<Sample> samples_; ///< of the last seconds, oldest first
};

/// "shop: dumping  1.20 GiB/4.00 GiB  30%  212 MiB/s  eta 13s  elapsed 5s  ratio 3.9", at most
/// `width` columns: details go from the right, then the stage is cut. Escaped, no line feed.
[[nodiscard]] std::string format_progress_line(const ProgressSnapshot& snapshot, size_t width);
/// {"t":"progress","stage","plain_bytes","stored_bytes","total_bytes","rows","rate_bps","eta_ms",
/// "elapsed_ms"} without a line feed; what is not known is null.
[[nodiscard]] std::string format_progress_json(const ProgressSnapshot& snapshot);

enum class ProgressMode {
    automatic, ///< one line drawn over and over on a terminal, else plain
    plain,     ///< a line every ten seconds
    json,      ///< an object a second, and a last one at the end
    none
};
/// Of "auto", "plain", "json", "none"; nothing for another word.
[[nodiscard]] std::optional<ProgressMode> parse_progress_mode(std::string_view word);

/// Shows a ProgressState on a screen until stop() or the end of its life. It shows nothing between
/// construction and the first begin(). Construct, stop and destroy from one thread.
class ProgressRenderer {
public:
    /// Everything must outlive the renderer. `interval_ms` 0: by the mode (200 ms drawn, 10 s
    /// plain, 1 s json).
    ProgressRenderer(Screen& screen, ProgressMode mode, const ProgressState& state,
                     const Clock& clock = Clock::system(), int64_t interval_ms = 0);
    ProgressRenderer(const ProgressRenderer&) = delete;
    ProgressRenderer& operator=(const ProgressRenderer&) = delete;
    ~ProgressRenderer();

    /// Ends the thread and removes the line from the terminal; a second call does nothing.
    void stop();

private:
    enum class Style { drawn, plain, json };
    void run();
    void show();

    Screen& screen_;
    const ProgressState& state_;
    ProgressMeter meter_;
    Style style_ = Style::plain;
    int64_t interval_ms_ = 0;
    std::mutex mutex_; ///< guards stopping_
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace bkhost
