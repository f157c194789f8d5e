// How a file key is wrapped for a recipient and unwrapped by an identity: the stanza types "X25519"
// and "scrypt" of age-encryption.org/v1.
#pragma once

#include "header.hpp"
#include "keys.hpp"

#include <optional>
#include <vector>

namespace age_plugin {

/// Highest scrypt work factor written or read: 4 GiB of memory.
inline constexpr int kMaxWorkFactor = 22;

[[nodiscard]] Stanza wrap_x25519(const FileKey& file_key, const Point& recipient);
/// `work_factor` is log2 of N. Throws NO_MEMORY.
[[nodiscard]] Stanza wrap_scrypt(const FileKey& file_key, std::string_view passphrase,
                                 int work_factor);

/// The secrets that a reader holds.
struct Unlock {
    std::vector<Identity> identities;
    SecretText passphrase; ///< may be empty: none
};

/// Tries every identity on every stanza. Throws DENIED when none opens one, CORRUPT for a malformed
/// stanza, UNSUPPORTED for a work factor above kMaxWorkFactor, NO_MEMORY.
[[nodiscard]] FileKey unwrap(const std::vector<Stanza>& stanzas, const Unlock& unlock);

} // namespace age_plugin
