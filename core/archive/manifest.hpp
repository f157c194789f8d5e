// manifest.json: the commit point of an archive and what a reader must know first (FORMAT.md,
// section 2).
#pragma once

#include "core/base/clock.hpp"
#include "core/driver/options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

inline constexpr int kFormatVersion = 1;
inline constexpr uint64_t kManifestLimit = uint64_t{64} << 20; ///< bytes; a larger one is not ours

/// One stored object and what it packs.
struct ObjectRecord {
    std::string key; ///< relative to the archive's folder
    uint64_t size = 0;
    std::string sha256;
    uint64_t packed_size = 0, plain_size = 0;
    uint64_t header_size = 0;
    std::string header_sha256;
};

struct ComponentRecord {
    std::string name, type = "database", extension, format;
    std::string marker;        ///< nonce of the section comment lines; "" when there are none
    std::string layout = "{}"; ///< JSON
    uint64_t plain_size = 0;
    std::optional<uint64_t> rows;
    uint64_t frames = 0;
    std::vector<ObjectRecord> volumes;
};

struct CodecRecord {
    std::string driver, suffix, decode_command;
    OptionText options;                        ///< of a compressor, without secrets
    std::vector<std::string> key_fingerprints; ///< of an encryptor
};

struct EngineRecord {
    std::string name, version, driver, module, module_version;
};

struct Manifest {
    std::string id, environment, tenant, source, job;
    std::string type = "database", parent;
    TimeMs started_ms = 0, finished_ms = 0;
    std::string host, created_by;
    EngineRecord engine;
    bool row_digest = false; ///< rowsum-1 digests are in the index
    std::optional<CodecRecord> compressor, encryptor;
    std::vector<ComponentRecord> components;
    ObjectRecord index;
    uint64_t plain_size = 0, stored_size = 0, warnings = 0;
    std::optional<uint64_t> rows;

    std::string sha256; ///< set by to_text and by parse: the digest in the last line

    /// Every object but the manifest: volumes, then the index.
    [[nodiscard]] std::vector<ObjectRecord> objects() const;
};

/// The file's bytes; sets manifest.sha256.
[[nodiscard]] std::string manifest_text(Manifest& manifest);
/// Throws CORRUPT when the digest or a member is wrong, UNSUPPORTED for a newer version or an
/// unknown requirement. `object` stands in front of messages.
[[nodiscard]] Manifest parse_manifest(std::string_view text, const std::string& object);

} // namespace bkhost
