// The keys of an archive (FORMAT.md, section 1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bkhost {

inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kGlobalTenant = "_global";

/// Whether the text may be an environment, tenant, source or component.
[[nodiscard]] bool is_archive_name(std::string_view text) noexcept;

/// "<environment>/<tenant or _global>/<source>/<id>/". Throws INVALID for a part that may not be
/// one.
[[nodiscard]] std::string archive_prefix(std::string_view environment, std::string_view tenant,
                                         std::string_view source, std::string_view id);

struct ArchiveLocation {
    std::string prefix;                          ///< ends in "/"
    std::string environment, tenant, source, id; ///< tenant "" for _global
};
/// Of the key of a manifest; nothing for any other key.
[[nodiscard]] std::optional<ArchiveLocation> parse_manifest_key(std::string_view key);

/// "shop.db.zst.age" for volume 0, "shop.001.db.zst.age" for volume 1. Suffixes may be empty.
[[nodiscard]] std::string volume_name(std::string_view component, std::string_view extension,
                                      uint32_t volume, std::string_view codec,
                                      std::string_view cipher);
/// `rebuild`: id of what made the index anew from the volumes; "" for the first one.
[[nodiscard]] std::string index_name(std::string_view codec, std::string_view cipher,
                                     std::string_view rebuild = {});

} // namespace bkhost
