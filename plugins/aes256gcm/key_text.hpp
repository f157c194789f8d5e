// Master keys as text: hex, base64, and the lines of a key file. No message repeats a key.
#pragma once

#include "keys.hpp"

namespace aes256gcm {

[[nodiscard]] std::string hex(std::span<const uint8_t> bytes);

/// The content of a key file: 32 bytes as they are, or a text with comments and one key as 64 hex
/// digits or in base64. `origin` stands in messages. Throws CONFIG.
[[nodiscard]] MasterKey parse_key_file(std::string_view content, const std::string& origin);
/// One key as 64 hex digits or in base64, without blanks. Throws CONFIG.
[[nodiscard]] MasterKey parse_key(std::string_view text, const std::string& origin);

/// The text of a new key file, with its fingerprint and the time in UTC; give it to nobody.
[[nodiscard]] bk::SecretText key_file_text(const MasterKey& key);

} // namespace aes256gcm
