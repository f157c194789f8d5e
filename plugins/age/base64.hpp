// Base64 (RFC 4648, section 4) without padding, and only its one canonical form.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace age_plugin {

[[nodiscard]] std::string base64(std::span<const uint8_t> bytes);
/// Nothing for any other character, an impossible length, or unused bits that are not zero.
[[nodiscard]] std::optional<std::vector<uint8_t>> from_base64(std::string_view text);

} // namespace age_plugin
