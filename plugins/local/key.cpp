#include "key.hpp"

#include <bkhost/error.hpp>

#include <cstdint>

namespace local {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    const std::string shown = is_utf8(text) ? std::string(text) : "(not UTF-8)";
    throw bk::Error(BK_E_INVALID, "key '" + shown + "' " + why);
}

void check_part(std::string_view text, std::string_view part) {
    if (part.empty()) refuse(text, "has an empty part");
    if (part == "." || part == "..") refuse(text, "has a part '" + std::string(part) + "'");
    if (part.size() > kMaxPart) refuse(text, "has a part of more than 255 bytes");
}

void check_characters(std::string_view text) {
    if (text.size() > kMaxKey) refuse(text, "has more than 1024 bytes");
    if (text.find('\0') != std::string_view::npos) refuse("", "holds a NUL");
    if (!is_utf8(text)) refuse(text, "is not UTF-8");
}

/// Appends the parts that end in "/"; gives the rest.
std::string_view split_folders(std::string_view text, std::vector<std::string>& folders) {
    std::string_view rest = text;
    for (size_t end = rest.find('/'); end != std::string_view::npos; end = rest.find('/')) {
        check_part(text, rest.substr(0, end));
        folders.emplace_back(rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    return rest;
}

/// Length of the sequence that begins with `lead`, and the bits that it carries; 0 when none does.
struct Lead {
    size_t length;
    uint32_t bits, least; ///< `least`: the smallest character that needs this length
};
constexpr Lead lead_of(uint8_t byte) noexcept {
    if (byte < 0x80) return {1, byte, 0};
    if ((byte & 0xe0) == 0xc0) return {2, byte & 0x1fu, 0x80};
    if ((byte & 0xf0) == 0xe0) return {3, byte & 0x0fu, 0x800};
    if ((byte & 0xf8) == 0xf0) return {4, byte & 0x07u, 0x10000};
    return {0, 0, 0};
}

} // namespace

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const Lead lead = lead_of(static_cast<uint8_t>(text[0]));
        if (lead.length == 0 || lead.length > text.size()) return false;
        uint32_t character = lead.bits;
        for (size_t i = 1; i < lead.length; ++i) {
            const auto byte = static_cast<uint8_t>(text[i]);
            if ((byte & 0xc0) != 0x80) return false;
            character = character << 6 | (byte & 0x3fu);
        }
        const bool surrogate = character >= 0xd800 && character <= 0xdfff;
        if (character < lead.least || character > 0x10ffff || surrogate) return false;
        text.remove_prefix(lead.length);
    }
    return true;
}

bool is_temp_name(std::string_view name) noexcept {
    return name.starts_with('.') && name.ends_with(".part");
}

Key::Key(std::string_view text) : text_(text) {
    check_characters(text);
    const std::string_view name = split_folders(text, folders_);
    check_part(text, name);
    const std::string_view first = folders_.empty() ? name : std::string_view(folders_.front());
    if (is_temp_name(name)) refuse(text, "has the form of an unfinished upload (\".….part\")");
    if (first == kMarker || first == kLostAndFound)
        refuse(text, "begins with '" + std::string(first) + "', which is reserved");
    name_ = name;
}

std::vector<std::string> folders_of_prefix(std::string_view prefix) {
    check_characters(prefix);
    std::vector<std::string> folders;
    split_folders(prefix, folders); // what follows the last "/" is compared and never opened
    return folders;
}

} // namespace local
