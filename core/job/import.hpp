// Makes catalog rows from archives: for `catalog rebuild`, and for adoption.
#pragma once

#include "core/archive/manifest.hpp"
#include "core/job/open_archive.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bkhost {

struct FoundArchive {
    BackupRow row; ///< completed
    CopyRow copy;
    BackupChange change; ///< the same facts, for a row that exists already
};
/// What a manifest tells of its backup. Pure.
[[nodiscard]] FoundArchive describe_archive(const Manifest& manifest, const ArchivePlace& place);

struct ImportResult {
    size_t found = 0; ///< manifests
    size_t inserted = 0, refreshed = 0;
    std::vector<std::string> problems; ///< manifests that could not be read, and why
};

/// Reads every manifest of a storage into the catalog, and marks copies there that the storage no
/// longer has as missing. A storage that does not answer throws; it is never taken for an empty
/// one.
ImportResult import_storage(const JobContext& context, const NamedDriver& storage);

} // namespace bkhost
