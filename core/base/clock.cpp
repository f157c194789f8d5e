#include "core/base/clock.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <sys/random.h>

namespace bkhost {
namespace {
constexpr std::string_view kIdAlphabet = "abcdefghijkmnopqrstuvwxyz23456789"; // no l, 0, 1
constexpr size_t kIdTail = 6;
} // namespace

TimeMs Clock::now() const {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

int64_t Clock::monotonic_ms() const {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void Clock::random(std::span<uint8_t> out) const {
    while (!out.empty()) {
        const ssize_t got = ::getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno != EINTR) bk::throw_errno(errno, "cannot read random bytes");
        if (got > 0) out = out.subspan(static_cast<size_t>(got));
    }
}

bool Clock::sleep(int64_t milliseconds, const std::stop_token& stop) const {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    stopped.wait_for(lock, stop, std::chrono::milliseconds(milliseconds), [] { return false; });
    return !stop.stop_requested();
}

const Clock& Clock::system() {
    static const Clock clock;
    return clock;
}

std::string format_time(TimeMs time) {
    const std::time_t seconds = static_cast<std::time_t>(time / 1000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                  parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                  parts.tm_min, parts.tm_sec, static_cast<int>(time % 1000));
    return text.data();
}

std::string format_time_compact(TimeMs time) {
    std::string text;
    for (char c : format_time(time).substr(0, 19))
        if (c != '-' && c != ':') text += c;
    return text + 'Z';
}

std::optional<TimeMs> parse_time(std::string_view text) {
    std::string digits;
    for (char c : text)
        if (c >= '0' && c <= '9') digits += c;
    if (digits.size() != 14 && digits.size() != 17) return std::nullopt;
    const auto number = [&](size_t from, size_t length) {
        int value = 0;
        std::from_chars(digits.data() + from, digits.data() + from + length, value);
        return value;
    };
    std::tm parts{};
    parts.tm_year = number(0, 4) - 1900;
    parts.tm_mon = number(4, 2) - 1;
    parts.tm_mday = number(6, 2);
    parts.tm_hour = number(8, 2);
    parts.tm_min = number(10, 2);
    parts.tm_sec = number(12, 2);
    const TimeMs time =
        static_cast<TimeMs>(::timegm(&parts)) * 1000 + (digits.size() == 17 ? number(14, 3) : 0);
    if (time < 0) return std::nullopt;
    // A time has one text in each form: so neither the 31st of February nor a stray sign is one.
    const std::string full = format_time(time);
    const bool exact = text == (digits.size() == 17 ? full : full.substr(0, 19) + 'Z') ||
                       text == format_time_compact(time);
    return exact ? std::optional(time) : std::nullopt;
}

std::string make_id(const Clock& clock) {
    std::string id = format_time_compact(clock.now()) + '-';
    while (id.size() < 17 + kIdTail) {
        std::array<uint8_t, 16> bytes{};
        clock.random(bytes);
        for (uint8_t byte : bytes) // values past a whole multiple would favour some letters
            if (byte < 256 / kIdAlphabet.size() * kIdAlphabet.size() && id.size() < 17 + kIdTail)
                id += kIdAlphabet[byte % kIdAlphabet.size()];
    }
    return id;
}

bool is_id(std::string_view text) {
    return text.size() == 17 + kIdTail && text[16] == '-' && parse_time(text.substr(0, 16)) &&
           std::ranges::all_of(text.substr(17), [](char c) {
               return kIdAlphabet.find(c) != std::string_view::npos;
           });
}

} // namespace bkhost
