// Master keys: where they come from, and what may be told of them. Their texts are in key_text.hpp.
#pragma once

#include <bkhost/secret.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aes256gcm {

using MasterKey = bk::SecretBytes<32>;
using KeyId = std::array<uint8_t, 8>;

/// From the system's generator. Thread-safe, as all functions here.
void random_bytes(std::span<uint8_t> out);
/// Fills `out` by HKDF with SHA-256 (RFC 5869).
void hkdf_sha256(const MasterKey& key, std::span<const uint8_t> salt, std::span<const uint8_t> info,
                 std::span<uint8_t> out);

/// A short name that does not tell the key.
[[nodiscard]] KeyId key_id(const MasterKey& key);
/// "aes256gcm:" and the key id in hex.
[[nodiscard]] std::string fingerprint(const MasterKey& key);

/// Throws CONFIG, also when others than its owner may read or write the file, and what the system
/// says of it: NOT_FOUND, DENIED.
[[nodiscard]] MasterKey read_key_file(const std::string& path);

} // namespace aes256gcm
