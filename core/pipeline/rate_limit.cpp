#include "core/pipeline/rate_limit.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cmath>

namespace bkhost {
namespace {
constexpr double kBurstMs = 1000; // what a pause saves up
} // namespace

RateLimit::RateLimit(uint64_t bytes_per_second, const Clock& clock)
    : clock_(clock), bytes_per_ms_(static_cast<double>(bytes_per_second) / 1000),
      paid_ms_(static_cast<double>(clock.monotonic_ms())) {}

void RateLimit::take(uint64_t bytes, const std::stop_token& stop) {
    int64_t wait = 0;
    {
        const std::lock_guard lock(mutex_);
        const auto now = static_cast<double>(clock_.monotonic_ms());
        paid_ms_ = std::max(paid_ms_, now - kBurstMs) + static_cast<double>(bytes) / bytes_per_ms_;
        wait = static_cast<int64_t>(std::ceil(paid_ms_ - now));
    }
    if (wait > 0 && !clock_.sleep(wait, stop)) throw bk::Error(BK_E_CANCELLED, "cancelled");
}

} // namespace bkhost
