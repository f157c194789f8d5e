#include "key_text.hpp"

#include <algorithm>
#include <ctime>

namespace aes256gcm {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr size_t kHexSize = 64, kBase64Size = 43; // of 32 bytes; base64 without padding

[[noreturn]] void throw_no_key(const std::string& origin) {
    throw bk::Error(BK_E_CONFIG, "aes256gcm: " + origin + " is not a key of 32 bytes",
                    "make one with: bkhost key generate --driver aes256gcm --output FILE");
}

// Digits of `bits` bits each, most significant first; false for a foreign character, or when bits
// that no byte takes are not zero.
bool decode(std::string_view text, std::string_view alphabet, int bits, MasterKey& key) {
    uint32_t value = 0;
    int count = 0;
    size_t size = 0;
    for (const char c : text) {
        const size_t digit = alphabet.find(c);
        if (digit == std::string_view::npos) return false;
        value = value << bits | static_cast<uint32_t>(digit);
        count += bits;
        if (count < 8) continue;
        count -= 8;
        if (size == key.size()) return false;
        key[size++] = static_cast<uint8_t>(value >> count);
        value &= (1U << count) - 1;
    }
    return size == key.size() && value == 0;
}

bool decode_hex(std::string_view text, MasterKey& key) {
    bk::SecretBytes<kHexSize> lower;
    std::transform(text.begin(), text.end(), lower.begin(), [](char c) {
        return static_cast<uint8_t>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    });
    return decode({reinterpret_cast<const char*>(lower.data()), lower.size()}, kHex, 4, key);
}

std::string_view trim(std::string_view line) {
    const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!line.empty() && blank(line.front()))
        line.remove_prefix(1);
    while (!line.empty() && blank(line.back()))
        line.remove_suffix(1);
    return line;
}

std::string utc_now() {
    std::array<char, 32> text{};
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text.data();
}

} // namespace

std::string hex(std::span<const uint8_t> bytes) {
    std::string text;
    for (const uint8_t byte : bytes) {
        text += kHex[byte >> 4];
        text += kHex[byte & 15];
    }
    return text;
}

MasterKey parse_key(std::string_view text, const std::string& origin) {
    MasterKey key;
    if (text.size() == kHexSize && decode_hex(text, key)) return key;
    if (text.size() == kBase64Size + 1 && text.ends_with('=')) text.remove_suffix(1);
    if (text.size() != kBase64Size || !decode(text, kBase64, 6, key)) throw_no_key(origin);
    return key;
}

MasterKey parse_key_file(std::string_view content, const std::string& origin) {
    MasterKey key;
    if (content.size() == key.size()) {
        std::copy(content.begin(), content.end(), key.begin());
        return key;
    }
    std::string_view found;
    while (!content.empty()) {
        const size_t end = std::min(content.find('\n'), content.size());
        const std::string_view line = trim(content.substr(0, end));
        content.remove_prefix(std::min(end + 1, content.size()));
        if (line.empty() || line.starts_with('#')) continue;
        if (!found.empty())
            throw bk::Error(BK_E_CONFIG, "aes256gcm: " + origin + " holds more than one key",
                            "put each key into a file of its own");
        found = line;
    }
    return parse_key(found, origin);
}

bk::SecretText key_file_text(const MasterKey& key) {
    std::string text;
    text.reserve(300); // so that nothing of it is left behind by growing
    text.append("# created: ").append(utc_now());
    text.append("\n# key of aes256gcm, fingerprint: ").append(fingerprint(key)).append("\n");
    uint32_t bits = 0;
    int count = 0;
    for (const uint8_t byte : key) {
        bits = bits << 8 | byte;
        for (count += 8; count >= 6; count -= 6)
            text += kBase64[bits >> (count - 6) & 63];
    }
    text += kBase64[bits << (6 - count) & 63];
    text.append("=\n");
    return bk::SecretText(std::move(text));
}

} // namespace aes256gcm
