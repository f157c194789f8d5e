// Makes the index of an archive anew from its volumes, when it is damaged or lost.
#pragma once

#include "core/job/open_archive.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace bkhost {

/// The encryptor and recipients for what is added to an archive; nothing when none are known.
using EncryptFor = std::function<std::optional<DriverSpec>(const Manifest&)>;

struct ReindexResult {
    std::string id, storage;
    bool whole = false; ///< the index was whole: nothing was done
    std::string index;  ///< name of the new object
    uint64_t frames = 0, sections = 0;
    std::string manifest_sha256; ///< of the new manifest
};

/// Row counts and digests of single sections, row proofs, warnings and what the dumper wanted to
/// find again are not in the volumes: the new index is without them.
///
/// Order: the new index under a name of its own, read back; the manifest replaced whole; the old
/// index removed; the catalog's row. Whatever fails before the manifest leaves the archive as it
/// was. Throws CORRUPT for damaged volumes, BUSY when somebody else is at it, UNSUPPORTED for a
/// storage that cannot replace an object atomically, CONFIG without fitting recipients, DENIED
/// without the key.
[[nodiscard]] ReindexResult reindex_archive(const JobContext& context, const ArchivePlace& place,
                                            const DecryptOptions& decrypt,
                                            const EncryptFor& encrypt);

} // namespace bkhost
