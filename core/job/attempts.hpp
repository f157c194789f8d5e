// Another attempt at a piece of work that failed for a reason that may pass.
#pragma once

#include "core/base/clock.hpp"
#include "core/base/log.hpp"
#include "core/job/time_limit.hpp"

#include <bkhost/error.hpp>

#include <cstdint>
#include <functional>
#include <string>

namespace bkhost {

/// Whether the same work may succeed later: UNAVAILABLE, TIMEOUT, BUSY and what is marked as
/// retryable, but never CANCELLED, CONFIG, DENIED or CORRUPT.
[[nodiscard]] bool may_pass(const bk::Error& error);

/// How long to wait after the n-th failure: 5 s, doubled each time up to 5 min, of which the second
/// half is by chance, so that many hosts do not come back at once; at least what the service asked
/// for.
[[nodiscard]] int64_t back_off_ms(unsigned failures, const bk::Error& error, const Clock& clock);

/// Calls `attempt` until it returns, at most retries + 1 times. Throws the last failure, also when
/// `limit` leaves no time for the next wait, and CANCELLED as soon as its token stops while it
/// waits. `what` for messages: "the backup of 'shop'".
void with_retries(unsigned retries, const std::string& what, const TimeLimit& limit,
                  const Clock& clock, Log& log, const std::function<void()>& attempt);

} // namespace bkhost
