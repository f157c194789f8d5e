// A clock that obeys the test. For tests only.
#pragma once

#include "core/base/clock.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace bkhost::test {

/// Stands still until told otherwise; both clocks can be moved apart. Who sleeps wakes when pass()
/// has moved the time that far, or at once, with the time moved, when `sleeping_passes` is set.
/// Thread-safe.
class FakeClock final : public Clock {
public:
    [[nodiscard]] TimeMs now() const override { return wall; }
    [[nodiscard]] int64_t monotonic_ms() const override { return mono; }
    [[nodiscard]] bool sleep(int64_t ms, const std::stop_token& stop) const override {
        std::unique_lock lock(mutex_);
        sleeps_.push_back(ms);
        changed_.notify_all();
        if (sleeping_passes) {
            wall += ms;
            mono += ms;
            return !stop.stop_requested();
        }
        const int64_t until = mono + ms;
        return changed_.wait(lock, stop, [&] { return mono >= until; });
    }
    void pass(int64_t ms) {
        const std::lock_guard lock(mutex_);
        wall += ms;
        mono += ms;
        changed_.notify_all();
    }
    /// Until sleep() was called `count` times.
    void wait_asleep(size_t count) const {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return sleeps_.size() >= count; });
    }
    /// What was asked of sleep(), in the order of the calls.
    [[nodiscard]] std::vector<int64_t> sleeps() const {
        const std::lock_guard lock(mutex_);
        return sleeps_;
    }
    std::atomic<bool> sleeping_passes{false};
    mutable std::atomic<TimeMs> wall{1'770'779'700'000}; // 2026-02-11T03:15:00Z
    mutable std::atomic<int64_t> mono{5'000'000};

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable_any changed_;
    mutable std::vector<int64_t> sleeps_;
};

} // namespace bkhost::test
