// Ends a piece of work that takes too long.
#pragma once

#include "core/base/clock.hpp"

#include <bkhost/error.hpp>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace bkhost {

/// Its token stops when the outer one does, or when the time is over, whichever comes first.
/// Thread-safe.
class TimeLimit {
public:
    /// `limit_ms` 0: no limit. The clock must outlive it.
    TimeLimit(const Clock& clock, int64_t limit_ms, std::stop_token outer);
    ~TimeLimit();
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;

    [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }
    /// Milliseconds; INT64_MAX without a limit.
    [[nodiscard]] int64_t left_ms() const;
    /// When the time was over and `error` is the CANCELLED that it led to: what to report instead,
    /// "<object> timed out after 2h". Nothing for every other error.
    [[nodiscard]] std::optional<bk::Error> expired(const std::exception& error,
                                                   const std::string& object) const;

private:
    const Clock& clock_;
    const int64_t limit_ms_, began_ms_;
    const std::stop_token outer_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> link_;
    std::atomic<bool> expired_{false};
    std::thread watch_; ///< none without a limit
};

} // namespace bkhost
