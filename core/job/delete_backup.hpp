// Deletes a backup: row `deleting`, then on each storage the manifest and the rest, then row
// `deleted`. Also one copy alone.
#pragma once

#include "core/job/context.hpp"

#include <string>
#include <vector>

namespace bkhost {

struct DeleteOutcome {
    BackupRow row;
    std::vector<CopyRow> copies;
    bool complete = false; ///< else copies are `deleting`: the next call, or reap(), goes on
};

/// Of all storages, or of `storage` alone. What another process left `deleting` is gone on with,
/// and for a `deleted` backup nothing is done. Throws as Catalog::begin_deletion, and BUSY while
/// somebody reads the archive by a mark of the last seven days; nothing is changed then. A storage
/// that does not answer, or does not let its objects go, is no error: its copy stays `deleting`
/// with the reason. CANCELLED leaves everything as it is by then.
[[nodiscard]] DeleteOutcome delete_backup(const JobContext& context,
                                          const OpenStorage& open_storage, const std::string& id,
                                          const std::string& storage = {});

/// For whoever starts next: goes on with a deletion, unless a living process is at it. Whether it
/// is complete now.
bool resume_deletion(const JobContext& context, const OpenStorage& open_storage,
                     const std::string& id);

} // namespace bkhost
