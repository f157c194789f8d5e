#include "core/job/time_limit.hpp"

#include "core/base/text.hpp"

#include <limits>

namespace bkhost {

TimeLimit::TimeLimit(const Clock& clock, int64_t limit_ms, std::stop_token outer)
    : clock_(clock), limit_ms_(limit_ms), began_ms_(clock.monotonic_ms()), outer_(std::move(outer)),
      link_(outer_, std::function<void()>([this] { stop_.request_stop(); })) {
    if (limit_ms_ <= 0) return;
    watch_ = std::thread([this] {
        if (!clock_.sleep(limit_ms_, stop_.get_token())) return;
        expired_ = true;
        stop_.request_stop();
    });
}

TimeLimit::~TimeLimit() {
    stop_.request_stop();
    if (watch_.joinable()) watch_.join();
}

int64_t TimeLimit::left_ms() const {
    if (limit_ms_ <= 0) return std::numeric_limits<int64_t>::max();
    return limit_ms_ - (clock_.monotonic_ms() - began_ms_);
}

std::optional<bk::Error> TimeLimit::expired(const std::exception& error,
                                            const std::string& object) const {
    const auto* known = dynamic_cast<const bk::Error*>(&error);
    if (!expired_ || known == nullptr || !known->cancelled() || outer_.stop_requested())
        return std::nullopt;
    return bk::Error(BK_E_TIMEOUT, object + " timed out after " + exact_duration(limit_ms_),
                     "see what held it up with -v, or raise the job's 'timeout'");
}

} // namespace bkhost
