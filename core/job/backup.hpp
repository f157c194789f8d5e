// One backup from beginning to end: row, preflight, dump, archive, manifest, row.
#pragma once

#include "core/job/context.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

struct BackupRequest {
    std::string job; ///< "" for an ad-hoc run
    std::string source_name, tenant, environment;
    DriverSpec source;
    std::optional<DriverSpec> compress, encrypt;
    std::vector<NamedDriver> storages;
    size_t copies_required = 1;                ///< storages that must hold the archive in the end
    uint64_t volume_size = uint64_t{64} << 30; ///< stored bytes
    uint64_t memory = 0;                       ///< budget in bytes; 0: the default
    unsigned workers = 0;                      ///< compressors and units at once; 0: by the cores
    std::vector<std::string> include_tables, exclude_tables;
    std::string notes;
    uint64_t max_rate = 0;  ///< bytes a second sent to all storages together; 0: no limit
    int64_t timeout_ms = 0; ///< for all attempts and the waits between them; 0: no limit
    unsigned retries = 0;   ///< further attempts after a failure that may pass (attempts.hpp)
};

struct BackupOutcome {
    BackupRow row;
    std::vector<CopyRow> copies;
    bool partial = false; ///< a wanted copy is missing
};

/// Throws what failed last: CONFIG before any row exists; else the row ends failed or cancelled,
/// and nothing is left on the storages. Each attempt has a row of its own; TIMEOUT when the time is
/// over. A backup whose manifest is stored is never taken back.
[[nodiscard]] BackupOutcome run_backup(const JobContext& context, const BackupRequest& request);

} // namespace bkhost
