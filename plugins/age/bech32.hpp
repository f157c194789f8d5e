// Bech32 (BIP-173) for keys as text, without its limit of 90 characters.
#pragma once

#include <bkhost/secret.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace age_plugin {

/// The two parts of a text; the content is wiped, since it may be a secret.
struct Bech32 {
    std::string prefix; ///< in lower case
    std::vector<uint8_t> content;

    Bech32() = default;
    Bech32(Bech32&&) = default;
    Bech32& operator=(Bech32&&) = delete;
    ~Bech32() { bk::wipe(content.data(), content.size()); }
};

/// In lower case, as `prefix` must be.
[[nodiscard]] std::string bech32(std::string_view prefix, std::span<const uint8_t> bytes);
/// Nothing for mixed case, a wrong checksum, or anything else that is not Bech32 of whole bytes.
[[nodiscard]] std::optional<Bech32> from_bech32(std::string_view text);

} // namespace age_plugin
