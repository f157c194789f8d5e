// Keys as text: recipients (age1...), identities (AGE-SECRET-KEY-1...), the lines of key files, and
// fingerprints. Reading files is in key_files.hpp.
#pragma once

#include "crypto.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace age_plugin {

struct Identity {
    Key secret;
    Point recipient; ///< its public key
};

inline constexpr std::string_view kScryptFingerprint = "age-scrypt";

/// The canonical text: "age1...".
[[nodiscard]] std::string recipient_text(const Point& recipient);
/// Throws CONFIG; a text that looks like a secret is not repeated in the message.
[[nodiscard]] Point parse_recipient(std::string_view text);
/// Adds those of `text`, one a line; empty lines and # comments are skipped. `origin` stands in
/// messages: "'/etc/key.txt'". Throws CONFIG; nothing of an identity is repeated in the message.
void parse_recipients(std::string_view text, const std::string& origin, std::vector<Point>& all);
void parse_identities(std::string_view text, const std::string& origin, std::vector<Identity>& all);

/// "age-x25519:" and the first 16 hex digits of the SHA-256 of the canonical text.
[[nodiscard]] std::string fingerprint(const Point& recipient);

[[nodiscard]] Identity new_identity();
/// As age-keygen writes it, with the time in UTC; give it to nobody.
[[nodiscard]] SecretText key_file_text(const Identity& identity);

} // namespace age_plugin
