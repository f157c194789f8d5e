// What the catalog keeps of backups, copies, restores and events, as plain values. No code but
// what is derived from one row.
#pragma once

#include "core/base/clock.hpp"
#include "core/catalog/states.hpp"
#include "core/driver/registry.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

/// One backup: what was asked for, what came of it. Times are 0 and texts empty while unknown.
struct BackupRow {
    std::string id; ///< as make_id gives it
    std::string job, source, tenant, environment;
    std::string type = "database"; ///< full, database, files, incremental, configuration
    std::string engine, engine_version;
    std::string format; ///< of the content: "sql", "pages", "tar"
    BackupState state = BackupState::pending;
    std::string archive_key; ///< prefix of its objects, the same on every storage
    TimeMs started_ms = 0, finished_ms = 0;
    int64_t plain_size = 0, stored_size = 0; ///< bytes; stored: of one copy
    int64_t rows = 0, tables = 0, files = 0; ///< counts
    std::vector<std::string> contents; ///< tables or paths that are in it, as people name them
    std::vector<std::string> warnings;
    std::string compression, encryption; ///< "zstd:3", "age"; empty: none
    std::vector<std::string> key_ids;
    std::string manifest_sha256;
    std::string host_name, initiated_by, notes;
    std::string error, hint;
    std::string retention; ///< the rule it falls under, as text; empty: keep
    TimeMs expires_ms = 0; ///< 0: not decided
    std::string parent_id; ///< what an incremental one builds on
    std::string bkhost_version;

    /// Plain bytes for one stored byte; 0 while unknown.
    [[nodiscard]] double ratio() const {
        return stored_size > 0 ? static_cast<double>(plain_size) / static_cast<double>(stored_size)
                               : 0;
    }
    /// 0 until it ended.
    [[nodiscard]] int64_t duration_ms() const {
        return finished_ms > 0 ? finished_ms - started_ms : 0;
    }
};

/// The archive of one backup on one storage.
struct CopyRow {
    std::string backup_id;
    std::string storage; ///< its configured name, or one made from its URL
    DriverSpec location; ///< driver and public options: opens the storage again. Never a secret
    CopyState state = CopyState::uploading;
    int64_t size = 0;
    std::string manifest_sha256;
    VerifyLevel verified_level = VerifyLevel::none;
    TimeMs verified_ms = 0;
    VerifyOutcome verified_outcome = VerifyOutcome::none;
    std::string error;
};

struct RestoreRow {
    std::string id; ///< as make_id gives it
    std::string backup_id;
    std::string source;      ///< the storage that it is read from
    std::string target;      ///< where it goes, without secrets
    std::string environment; ///< of the target
    std::string type = "database";
    RestoreState state = RestoreState::pending;
    std::vector<std::string> tables; ///< empty: all
    TimeMs started_ms = 0, finished_ms = 0;
    int64_t bytes = 0, rows = 0;
    std::string host_name, initiated_by, notes;
    std::string error, hint;

    [[nodiscard]] int64_t duration_ms() const {
        return finished_ms > 0 ? finished_ms - started_ms : 0;
    }
};

// The structs from here on are made for designated initialisers: {.error = "…", .hint = "…"}.

/// What to write along with a change of a backup's state; what is not set stays as it is.
struct BackupChange {
    std::optional<std::string> engine = {}, engine_version = {}, format = {}, archive_key = {};
    std::optional<TimeMs> finished_ms = {}; ///< unset: the time when an active state is left
    std::optional<int64_t> plain_size = {}, stored_size = {}, rows = {}, tables = {}, files = {};
    std::optional<std::vector<std::string>> contents = {}, warnings = {}, key_ids = {};
    std::optional<std::string> compression = {}, encryption = {}, manifest_sha256 = {};
    std::optional<std::string> notes = {}, error = {}, hint = {}, retention = {};
    std::optional<TimeMs> expires_ms = {};
};

struct RestoreChange {
    std::optional<std::string> source = {}, target = {};
    std::optional<TimeMs> finished_ms = {}; ///< unset: the time when an active state is left
    std::optional<int64_t> bytes = {}, rows = {};
    std::optional<std::string> notes = {}, error = {}, hint = {};
};

/// Written with every change of a state ("backup.completed", "restore.failed"), and by add_event.
struct EventRow {
    int64_t seq = 0; ///< set by the catalog; grows
    TimeMs at_ms = 0;
    std::string kind = {};
    std::string backup_id = {}, restore_id = {};
    std::string data = "{}"; ///< JSON object
};

/// Conditions that all hold; what is not set does not restrict.
struct BackupFilter {
    std::optional<std::string> environment = {}, source = {}, job = {}, tenant = {};
    std::optional<std::string> type = {}, engine = {};
    std::vector<BackupState> states = {};         ///< any of
    std::optional<std::string> storage = {};      ///< has a copy there that is `stored`
    std::optional<TimeMs> since = {}, until = {}; ///< started_ms: since <= t < until
    std::optional<int64_t> limit = {};            ///< at least 1
};

struct RestoreFilter {
    std::optional<std::string> environment = {}, backup_id = {};
    std::vector<RestoreState> states = {};
    std::optional<TimeMs> since = {}, until = {};
    std::optional<int64_t> limit = {};
};

/// What one storage holds according to the catalog: its copies that are `stored`.
struct StorageUsage {
    std::string storage;
    int64_t copies = 0;
    int64_t bytes = 0;
    TimeMs oldest_ms = 0, newest_ms = 0; ///< started_ms of the backups
};

/// One thing that check() found.
struct CatalogProblem {
    std::string object;  ///< "backup '…'", "file '…'"
    std::string message; ///< what is wrong
    std::string hint;    ///< what to do
};

} // namespace bkhost
