#include "core/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <utility>

namespace bkhost {
namespace {

std::string print(const char* format, double value, const char* unit) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), format, value, unit);
    return text.data();
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Factor of a size suffix, 0 when there is none such.
uint64_t size_factor(std::string_view suffix) {
    std::string unit;
    for (char c : suffix)
        unit += lower(c);
    if (unit.empty() || unit == "b") return 1;
    static constexpr std::string_view kPrefixes = "kmgtp";
    const size_t power = kPrefixes.find(unit[0]);
    if (power == std::string_view::npos) return 0;
    const std::string rest = unit.substr(1);
    if (!rest.empty() && rest != "b" && rest != "ib") return 0;
    uint64_t factor = 1;
    for (size_t i = 0; i <= power; ++i)
        factor *= rest == "b" ? 1000 : 1024;
    return factor;
}

} // namespace

std::string format_bytes(uint64_t bytes) {
    static constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes);
    size_t unit = 0;
    while (value >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    if (unit == 0) return print("%.0f %s", value, kUnits[0]);
    const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return print(digits == 2   ? "%.2f %s"
                 : digits == 1 ? "%.1f %s"
                               : "%.0f %s",
                 value, kUnits[unit]);
}

std::string format_duration(int64_t ms) {
    if (ms < 0) ms = 0;
    if (ms < 1000) return std::to_string(ms) + "ms";
    if (ms < 60'000) return print("%.1f%s", static_cast<double>(ms) / 1000, "s");
    std::array<char, 48> text{};
    const long long seconds = ms / 1000;
    if (seconds < 3600)
        std::snprintf(text.data(), text.size(), "%lldm%02llds", seconds / 60, seconds % 60);
    else
        std::snprintf(text.data(), text.size(), "%lldh%02lldm", seconds / 3600, seconds / 60 % 60);
    return text.data();
}

std::string exact_duration(int64_t ms) {
    static constexpr std::array<std::pair<const char*, int64_t>, 5> kUnits{
        {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
    std::string text;
    for (const auto& [unit, factor] : kUnits) {
        if (ms >= factor) text += std::to_string(ms / factor) + unit;
        ms %= factor;
    }
    return text.empty() ? "0s" : text;
}

std::optional<uint64_t> parse_size(std::string_view text) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || value < 0 || !std::isfinite(value)) return std::nullopt;
    std::string_view suffix(end, static_cast<size_t>(text.data() + text.size() - end));
    while (!suffix.empty() && suffix.front() == ' ')
        suffix.remove_prefix(1);
    const uint64_t factor = size_factor(suffix);
    if (factor == 0) return std::nullopt;
    const std::string_view digits(text.data(), static_cast<size_t>(end - text.data()));
    if (digits.find_first_not_of("0123456789") ==
        std::string_view::npos) { // exact for whole numbers
        uint64_t whole = 0;
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
        if (parsed.ec != std::errc{} || whole > std::numeric_limits<uint64_t>::max() / factor)
            return std::nullopt;
        return whole * factor;
    }
    const double bytes = value * static_cast<double>(factor);
    if (bytes >= 1.8e19) return std::nullopt;
    return static_cast<uint64_t>(bytes);
}

std::optional<int64_t> parse_duration(std::string_view text) {
    static constexpr int64_t kMax = int64_t{1000} * 86'400 * 36'500;
    if (text.empty()) return std::nullopt;
    int64_t total = 0;
    while (!text.empty()) {
        int64_t value = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (code != std::errc{} || value < 0 || value > kMax) return std::nullopt;
        text.remove_prefix(static_cast<size_t>(end - text.data()));
        const size_t length = std::min(text.find_first_of("0123456789"), text.size());
        const std::string_view unit = text.substr(0, length);
        text.remove_prefix(length);
        int64_t factor = 0;
        if (unit == "ms")
            factor = 1;
        else if (unit == "s")
            factor = 1000;
        else if (unit == "m" || unit == "min")
            factor = 60'000;
        else if (unit == "h")
            factor = 3'600'000;
        else if (unit == "d")
            factor = 86'400'000;
        else
            return std::nullopt;
        if (value > kMax / factor) return std::nullopt;
        total += value * factor;
        if (total > kMax) return std::nullopt;
    }
    return total;
}

std::optional<int64_t> parse_int(std::string_view text) {
    if (!text.empty() && text.front() == '+') text.remove_prefix(1);
    int64_t value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::string to_hex(std::span<const uint8_t> bytes) {
    static constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    hex.reserve(bytes.size() * 2);
    for (uint8_t byte : bytes) {
        hex += kDigits[byte >> 4];
        hex += kDigits[byte & 15];
    }
    return hex;
}

std::optional<std::vector<uint8_t>> from_hex(std::string_view hex) {
    if (hex.size() % 2 != 0) return std::nullopt;
    std::vector<uint8_t> bytes(hex.size() / 2);
    for (size_t i = 0; i < bytes.size(); ++i) {
        const char* at = hex.data() + 2 * i;
        const auto [end, code] = std::from_chars(at, at + 2, bytes[i], 16);
        if (code != std::errc{} || end != at + 2) return std::nullopt;
    }
    return bytes;
}

std::string nearest(std::string_view name, const std::vector<std::string>& candidates) {
    std::string best;
    size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        std::vector<size_t> row(candidate.size() + 1); // Levenshtein, one row at a time
        std::iota(row.begin(), row.end(), size_t{0});
        for (size_t i = 1; i <= name.size(); ++i) {
            size_t diagonal = row[0];
            row[0] = i;
            for (size_t j = 1; j <= candidate.size(); ++j) {
                const size_t above = row[j];
                const size_t changed =
                    diagonal + (lower(name[i - 1]) == lower(candidate[j - 1]) ? 0 : 1);
                row[j] = std::min({above + 1, row[j - 1] + 1, changed});
                diagonal = above;
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

std::string join(const std::vector<std::string>& items, std::string_view separator) {
    std::string text;
    for (const std::string& item : items) {
        if (!text.empty()) text += separator;
        text += item;
    }
    return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const size_t end = std::min(text.find(separator), text.size());
        if (end > 0) parts.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

std::optional<std::vector<std::string>> split_names(std::string_view text) {
    const auto skip_blanks = [&] {
        while (text.starts_with(' '))
            text.remove_prefix(1);
    };
    std::vector<std::string> names;
    if (text.empty()) return names;
    for (;;) {
        std::string name;
        skip_blanks();
        if (text.starts_with('"')) {
            do { // a quote after a quote stands for itself
                text.remove_prefix(1);
                const size_t end = text.find('"');
                if (end == std::string_view::npos) return std::nullopt;
                name += text.substr(0, end);
                text.remove_prefix(end + 1);
                if (text.starts_with('"')) name += '"';
            } while (text.starts_with('"'));
            skip_blanks();
        } else {
            name = text.substr(0, text.find(','));
            text.remove_prefix(name.size());
            name.erase(name.find_last_not_of(' ') + 1);
        }
        if (name.empty()) return std::nullopt;
        names.push_back(std::move(name));
        if (text.empty()) return names;
        if (!text.starts_with(',')) return std::nullopt;
        text.remove_prefix(1);
    }
}

} // namespace bkhost
