// The 96 bytes before the chunks, and the keys that they and a master key make: core/FORMAT.md, 9.
#pragma once

#include "keys.hpp"

namespace aes256gcm {

inline constexpr size_t kHeaderSize = 96;
inline constexpr std::string_view kMagic = "bkhost/aes256gcm";

using Header = std::array<uint8_t, kHeaderSize>;
using DataKey = bk::SecretBytes<32>;

/// A header with a random salt. Thread-safe, as all functions here.
[[nodiscard]] Header new_header(const MasterKey& key);
/// Of an object whose header is as it was written, by its checksum. Throws CORRUPT, and UNSUPPORTED
/// for a version or a size of chunks that is unknown.
void check_header(const Header& header);
/// The key that the header names. A header that was checked.
[[nodiscard]] KeyId key_id_of(const Header& header);
/// The key of the object's chunks. Throws CORRUPT when the header was made without the key.
[[nodiscard]] DataKey data_key(const Header& header, const MasterKey& key);

} // namespace aes256gcm
