// Finds the backup that the operator means, in the catalog or on a storage, and its copies.
#pragma once

#include "core/job/open_archive.hpp"
#include "host/commands/commands.hpp"

#include <string>
#include <vector>

namespace bkhost {

struct ChosenBackup {
    std::string id, source;           ///< source: as the archive's key names it
    std::vector<ArchivePlace> places; ///< copies, the best first
};

/// By id, its beginning, "latest", or from a numbered list on a terminal. With --storage the
/// storage itself is asked, so that a lost catalog is no obstacle. Throws NOT_FOUND, INVALID.
[[nodiscard]] ChosenBackup choose_backup(Session& session, const BackupChoice& choice);

/// One line of the numbered list and of messages.
[[nodiscard]] std::string backup_line(const BackupRow& row);

} // namespace bkhost
