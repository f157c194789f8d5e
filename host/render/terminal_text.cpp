#include "host/render/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace bkhost {
namespace {

struct Range {
    char32_t first, last;
};

// Marks that stand on the character before them, and characters of no width.
constexpr std::array kZeroWidth{
    Range{0x0300, 0x036f}, Range{0x0483, 0x0489},  Range{0x0591, 0x05bd}, Range{0x0610, 0x061a},
    Range{0x064b, 0x065f}, Range{0x06d6, 0x06dc},  Range{0x0900, 0x0902}, Range{0x093c, 0x093c},
    Range{0x0941, 0x0948}, Range{0x094d, 0x094d},  Range{0x0e31, 0x0e31}, Range{0x0e34, 0x0e3a},
    Range{0x0e47, 0x0e4e}, Range{0x1ab0, 0x1aff},  Range{0x1dc0, 0x1dff}, Range{0x200b, 0x200d},
    Range{0x20d0, 0x20ff}, Range{0x3099, 0x309a},  Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f},
    Range{0xfeff, 0xfeff}, Range{0xe0100, 0xe01ef}};

// East Asian wide and full-width characters, and emoji (Unicode, UAX #11).
constexpr std::array kWide{
    Range{0x1100, 0x115f},   Range{0x231a, 0x231b},   Range{0x23e9, 0x23ec},
    Range{0x23f0, 0x23f0},   Range{0x23f3, 0x23f3},   Range{0x25fd, 0x25fe},
    Range{0x2614, 0x2615},   Range{0x2648, 0x2653},   Range{0x267f, 0x267f},
    Range{0x2693, 0x2693},   Range{0x26a1, 0x26a1},   Range{0x26aa, 0x26ab},
    Range{0x26bd, 0x26be},   Range{0x26c4, 0x26c5},   Range{0x26ce, 0x26ce},
    Range{0x26d4, 0x26d4},   Range{0x26ea, 0x26ea},   Range{0x26f2, 0x26f3},
    Range{0x26f5, 0x26f5},   Range{0x26fa, 0x26fa},   Range{0x26fd, 0x26fd},
    Range{0x2705, 0x2705},   Range{0x270a, 0x270b},   Range{0x2728, 0x2728},
    Range{0x274c, 0x274c},   Range{0x274e, 0x274e},   Range{0x2753, 0x2755},
    Range{0x2757, 0x2757},   Range{0x2795, 0x2797},   Range{0x27b0, 0x27b0},
    Range{0x27bf, 0x27bf},   Range{0x2b1b, 0x2b1c},   Range{0x2b50, 0x2b50},
    Range{0x2b55, 0x2b55},   Range{0x2e80, 0x303e},   Range{0x3041, 0x3098},
    Range{0x309b, 0xa4cf},   Range{0xa960, 0xa97c},   Range{0xac00, 0xd7a3},
    Range{0xf900, 0xfaff},   Range{0xfe10, 0xfe19},   Range{0xfe30, 0xfe6f},
    Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},   Range{0x16fe0, 0x18cff},
    Range{0x1b000, 0x1b2ff}, Range{0x1f004, 0x1f004}, Range{0x1f0cf, 0x1f0cf},
    Range{0x1f18e, 0x1f18e}, Range{0x1f191, 0x1f19a}, Range{0x1f200, 0x1f320},
    Range{0x1f32d, 0x1f335}, Range{0x1f337, 0x1f37c}, Range{0x1f37e, 0x1f393},
    Range{0x1f3a0, 0x1f3ca}, Range{0x1f3cf, 0x1f3d3}, Range{0x1f3e0, 0x1f3f0},
    Range{0x1f3f4, 0x1f3f4}, Range{0x1f3f8, 0x1f43e}, Range{0x1f440, 0x1f440},
    Range{0x1f442, 0x1f4fc}, Range{0x1f4ff, 0x1f53d}, Range{0x1f54b, 0x1f567},
    Range{0x1f595, 0x1f596}, Range{0x1f5a4, 0x1f5a4}, Range{0x1f5fb, 0x1f64f},
    Range{0x1f680, 0x1f6c5}, Range{0x1f6cc, 0x1f6cc}, Range{0x1f6d0, 0x1f6df},
    Range{0x1f6eb, 0x1f6ec}, Range{0x1f6f4, 0x1f6fc}, Range{0x1f7e0, 0x1f7eb},
    Range{0x1f90c, 0x1f9ff}, Range{0x1fa70, 0x1faff}, Range{0x20000, 0x3fffd}};

// They turn the direction of what follows, or end a line where no line feed is: a name with one
// shows something else than it is.
constexpr std::array kDeceiving{Range{0x061c, 0x061c}, Range{0x200e, 0x200f}, Range{0x2028, 0x202e},
                                Range{0x2066, 0x2069}};

template <size_t size>
bool is_in(const std::array<Range, size>& ranges, char32_t c) {
    const auto after =
        std::upper_bound(ranges.begin(), ranges.end(), c,
                         [](char32_t value, const Range& r) { return value < r.first; });
    return after != ranges.begin() && c <= std::prev(after)->last;
}

/// The first character of a text that is not empty; length 0: its first byte begins no valid UTF-8.
struct Decoded {
    char32_t value = 0;
    size_t length = 0;
};

Decoded decode(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return {first, 1};
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
    char32_t value = first & (0x7fu >> length);
    for (size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0u) != 0x80u) return {};
        value = (value << 6) | (byte(i) & 0x3fu);
    }
    constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < kLeast[length] || value > 0x10ffff || surrogate) return {};
    return {value, length};
}

size_t width_of(char32_t c) {
    if (c < 0x300) return 1;
    if (is_in(kZeroWidth, c)) return 0;
    return is_in(kWide, c) ? 2 : 1;
}

void append_number(std::string& out, const char* format, unsigned value) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), format, value);
    out += text.data();
}

void append_escaped(std::string& out, char32_t c, std::string_view bytes) {
    if (c == '\n')
        out += "\\n";
    else if (c == '\t')
        out += "\\t";
    else if (c == '\r')
        out += "\\r";
    else if (c < 0x20 || c == 0x7f)
        append_number(out, "\\x%02x", static_cast<unsigned>(c));
    else if ((c >= 0x80 && c < 0xa0) || is_in(kDeceiving, c))
        append_number(out, "\\u{%x}", static_cast<unsigned>(c));
    else
        out += bytes;
}

} // namespace

std::string escape_terminal(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Decoded c = decode(text);
        if (c.length == 0)
            append_number(out, "\\x%02x", static_cast<unsigned char>(text.front()));
        else
            append_escaped(out, c.value, text.substr(0, c.length));
        text.remove_prefix(std::max<size_t>(c.length, 1));
    }
    return out;
}

std::string escape_lines(std::string_view text, std::string_view indent) {
    while (text.ends_with('\n'))
        text.remove_suffix(1);
    std::string out;
    for (;;) {
        const size_t end = text.find('\n');
        out += escape_terminal(text.substr(0, end));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
        out += '\n';
        out += indent;
    }
}

size_t display_width(std::string_view text) {
    size_t width = 0;
    while (!text.empty()) {
        const Decoded c = decode(text);
        width += c.length == 0 ? 1 : width_of(c.value);
        text.remove_prefix(std::max<size_t>(c.length, 1));
    }
    return width;
}

std::string_view cut_to_width(std::string_view text, size_t width) {
    size_t used = 0, at = 0;
    while (at < text.size()) {
        const Decoded c = decode(text.substr(at));
        used += c.length == 0 ? 1 : width_of(c.value);
        if (used > width) break;
        at += std::max<size_t>(c.length, 1);
    }
    return text.substr(0, at);
}

} // namespace bkhost
