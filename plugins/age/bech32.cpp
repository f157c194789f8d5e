// Bech32: five bits a character, and a checksum of six characters over prefix and data.
#include "bech32.hpp"

#include <algorithm>

namespace age_plugin {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksumSize = 6;

// The BCH code of BIP-173.
class Checksum {
public:
    explicit Checksum(std::string_view prefix) {
        for (const char c : prefix)
            add(static_cast<uint8_t>(c) >> 5);
        add(0);
        for (const char c : prefix)
            add(static_cast<uint8_t>(c) & 31);
    }
    void add(uint32_t value) {
        constexpr uint32_t kGenerator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                           0x2a1462b3};
        const uint32_t top = state_ >> 25;
        state_ = (state_ & 0x1ffffff) << 5 ^ value;
        for (unsigned i = 0; i < 5; ++i)
            if ((top >> i & 1) != 0) state_ ^= kGenerator[i];
    }
    [[nodiscard]] uint32_t state() const { return state_; }

private:
    uint32_t state_ = 1;
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

} // namespace

std::string bech32(std::string_view prefix, std::span<const uint8_t> bytes) {
    std::string text(prefix);
    text.reserve(prefix.size() + 1 + (bytes.size() * 8 + 4) / 5 + kChecksumSize);
    text += '1';
    Checksum checksum(prefix);
    const auto put = [&](uint32_t value) {
        text += kAlphabet[value];
        checksum.add(value);
    };
    uint32_t bits = 0;
    int count = 0;
    for (const uint8_t byte : bytes) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 5; count -= 5)
            put(bits >> (count - 5) & 31);
    }
    if (count > 0) put(bits << (5 - count) & 31);
    for (size_t i = 0; i < kChecksumSize; ++i)
        checksum.add(0);
    const uint32_t end = checksum.state() ^ 1;
    for (int shift = 25; shift >= 0; shift -= 5)
        text += kAlphabet[end >> shift & 31];
    return text;
}

std::optional<Bech32> from_bech32(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), is_upper) &&
        std::any_of(text.begin(), text.end(), is_lower))
        return std::nullopt;
    const size_t separator = text.rfind('1');
    if (separator == std::string_view::npos || separator == 0) return std::nullopt;
    if (text.size() - separator - 1 < kChecksumSize) return std::nullopt;

    std::optional<Bech32> decoded(std::in_place);
    for (const char c : text.substr(0, separator)) {
        if (c < 33 || c > 126) return std::nullopt;
        decoded->prefix += lower(c);
    }
    Checksum checksum(decoded->prefix);
    const std::string_view data = text.substr(separator + 1);
    decoded->content.reserve(data.size() * 5 / 8);
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < data.size(); ++i) {
        const size_t value = kAlphabet.find(lower(data[i]));
        if (value == std::string_view::npos) return std::nullopt;
        checksum.add(static_cast<uint32_t>(value));
        if (i + kChecksumSize >= data.size()) continue;
        bits = bits << 5 | static_cast<uint32_t>(value);
        count += 5;
        if (count < 8) continue;
        count -= 8;
        decoded->content.push_back(static_cast<uint8_t>(bits >> count));
    }
    if (checksum.state() != 1 || count >= 5 || (bits & ((1U << count) - 1)) != 0)
        return std::nullopt;
    return decoded;
}

} // namespace age_plugin
