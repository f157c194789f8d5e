// The textual header of an age file (age-encryption.org/v1): its grammar both ways, and its MAC.
// What the stanzas hold is in stanzas.hpp.
#pragma once

#include "crypto.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace age_plugin {

inline constexpr std::string_view kMagic = "age-encryption.org/v1";
/// Longest header written and read; some 650 recipients.
inline constexpr size_t kMaxHeader = 64 * 1024;

/// One wrapped copy of the file key.
struct Stanza {
    std::vector<std::string> arguments; ///< the type first
    std::vector<uint8_t> body;
};

struct Header {
    std::vector<Stanza> stanzas;
    std::string authenticated; ///< what the MAC covers: all up to and including "---"
    Digest mac;
};

/// The whole header, up to and including the line feed after the MAC. Throws CONFIG when it would
/// become longer than kMaxHeader.
[[nodiscard]] std::string write_header(const std::vector<Stanza>& stanzas, const FileKey& file_key);

/// Takes a text that ends after the MAC line. Throws CORRUPT.
[[nodiscard]] Header parse_header(std::string_view text);

/// Throws CORRUPT unless the MAC is that of the file key.
void verify_header(const Header& header, const FileKey& file_key);

/// CORRUPT: "the age header is damaged: <what>".
[[noreturn]] void throw_damaged_header(const std::string& what);

} // namespace age_plugin
