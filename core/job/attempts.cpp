#include "core/job/attempts.hpp"

#include "core/base/text.hpp"

#include <algorithm>
#include <array>

namespace bkhost {
namespace {
constexpr int64_t kFirstWaitMs = 5'000, kLongestWaitMs = 300'000;
} // namespace

bool may_pass(const bk::Error& error) {
    switch (error.status()) {
    case BK_E_UNAVAILABLE:
    case BK_E_TIMEOUT:
    case BK_E_BUSY: return true;
    case BK_E_CANCELLED:
    case BK_E_CONFIG:
    case BK_E_DENIED:
    case BK_E_CORRUPT: return false;
    default: return error.retryable();
    }
}

int64_t back_off_ms(unsigned failures, const bk::Error& error, const Clock& clock) {
    int64_t wait = kFirstWaitMs;
    for (unsigned i = 1; i < failures && wait < kLongestWaitMs; ++i)
        wait *= 2;
    wait = std::min(wait, kLongestWaitMs);
    std::array<uint8_t, 2> chance{};
    clock.random(chance);
    wait = wait / 2 + wait / 2 * (chance[0] * 256 + chance[1]) / 65'535;
    return std::max<int64_t>(wait, error.retry_after_ms);
}

void with_retries(unsigned retries, const std::string& what, const TimeLimit& limit,
                  const Clock& clock, Log& log, const std::function<void()>& attempt) {
    for (unsigned failures = 1;; ++failures) {
        try {
            return attempt();
        } catch (const bk::Error& error) {
            if (failures > retries || !may_pass(error)) throw;
            const int64_t wait = back_off_ms(failures, error, clock);
            if (wait >= limit.left_ms()) throw;
            log.warn(what + " failed: " + error.what() + "; attempt " +
                     std::to_string(failures + 1) + " of " + std::to_string(retries + 1) + " in " +
                     format_duration(wait));
            if (clock.sleep(wait, limit.token())) continue;
            const bk::Error cancelled(BK_E_CANCELLED, "cancelled before another attempt");
            if (const auto late = limit.expired(cancelled, what)) throw *late;
            throw cancelled;
        }
    }
}

} // namespace bkhost
