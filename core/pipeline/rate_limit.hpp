// A limit on bytes a second, shared by all threads of a run.
#pragma once

#include "core/base/clock.hpp"

#include <cstdint>
#include <mutex>
#include <stop_token>

namespace bkhost {

/// A bucket that fills with the rate, holds one second's worth at most, and is empty at first; it
/// may be overdrawn, and who comes next waits the longer. So what was sent never exceeds the rate
/// times the time since the beginning, whatever the size of a piece. Thread-safe.
class RateLimit {
public:
    /// At least one byte a second. The clock must outlive it.
    RateLimit(uint64_t bytes_per_second, const Clock& clock);

    /// Waits until that many bytes may be sent. Throws CANCELLED when `stop` is requested.
    void take(uint64_t bytes, const std::stop_token& stop);

private:
    const Clock& clock_;
    const double bytes_per_ms_;
    std::mutex mutex_;
    double paid_ms_; ///< the time by which the rate has made up for all that was taken
};

} // namespace bkhost
