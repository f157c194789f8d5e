// The seam for time and chance, so that tests can replace both; and times as texts.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace bkhost {

/// Milliseconds since 1970 UTC.
using TimeMs = int64_t;

/// Thread-safe. The default one reads the system's clocks and getrandom(2).
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimeMs now() const;           ///< wall clock, for names and records
    [[nodiscard]] virtual int64_t monotonic_ms() const; ///< for durations
    virtual void random(std::span<uint8_t> out) const;
    /// Waits that long by the monotonic clock; false, at once, when `stop` is requested.
    [[nodiscard]] virtual bool sleep(int64_t milliseconds, const std::stop_token& stop) const;
    /// The one that the whole process shares.
    [[nodiscard]] static const Clock& system();
};

/// "2026-02-11T03:15:00.123Z"
[[nodiscard]] std::string format_time(TimeMs time);
/// "20260211T031500Z", for names.
[[nodiscard]] std::string format_time_compact(TimeMs time);
/// Of either form, with or without the milliseconds; nothing when it is not a time.
[[nodiscard]] std::optional<TimeMs> parse_time(std::string_view text);

/// "20260211T031500Z-k3f9qd": sortable by time; six random characters (about 2^29 values) make it
/// unique within a second.
[[nodiscard]] std::string make_id(const Clock& clock);
/// Whether the text has the form of such an id.
[[nodiscard]] bool is_id(std::string_view text);

} // namespace bkhost
