// The database of backups, copies, restores, leases and events: history, and who is at work. It can
// be lost (rebuild makes it anew from the storages), so it holds nothing that a restore needs.
// Not here: what a state entails (core/job), what may be deleted (core/retention).
#pragma once

#include "core/catalog/lease.hpp"
#include "core/catalog/rows.hpp"
#include "core/catalog/states.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// The version of the tables that this program writes (SQLite's user_version).
inline constexpr int kCatalogSchema = 2;

/// A row that is active although nobody living holds its lease.
struct Orphan {
    std::optional<BackupRow> backup; ///< one of the two is set
    std::optional<RestoreRow> restore;
    std::optional<Lease> lease; ///< the dead one; none when the row has lost it altogether
};

enum class ImportOutcome : uint8_t {
    inserted,  ///< was not known
    refreshed, ///< was known as completed or expired; its description and copies are up to date
    adopted,   ///< its run had died; now completed
    kept,      ///< left alone: being written, failed, cancelled, deleting or deleted
};

/// SQLite in WAL mode, synchronous FULL. Thread-safe; several processes may have the same file
/// open. Every call throws bk::Error: BUSY when another process holds the write lock for more than
/// 10 s, NO_SPACE, DENIED, CORRUPT (hint: rebuild), UNAVAILABLE (I/O). What failed left no trace.
class Catalog {
public:
    /// Opens, or creates with file mode 0600 in a directory that is made with 0700 when absent, and
    /// brings an older schema up to date. Throws CONFIG for a newer schema and for a database that
    /// is not a catalog. `clock` and `probe` must outlive it.
    explicit Catalog(std::filesystem::path file, const Clock& clock = Clock::system(),
                     const ProcessProbe& probe = ProcessProbe::system());
    ~Catalog();
    Catalog(const Catalog&) = delete;
    Catalog& operator=(const Catalog&) = delete;

    [[nodiscard]] const std::filesystem::path& file() const noexcept;

    /// Renames a damaged file and what belongs to it out of the way ("catalog.db.damaged-<time>"),
    /// so that the next open starts with an empty one. Gives the new name. Nobody may have it open.
    static std::filesystem::path set_aside(const std::filesystem::path& file,
                                           const Clock& clock = Clock::system());

    // -- Backups
    // -----------------------------------------------------------------------------------

    /// Inserts the row (pending), its copies and the lease "backup:<id>" of this process, in one
    /// transaction. `started_ms` 0 means now. Throws EXISTS for a known id, INVALID for a bad one
    /// or a state other than pending.
    [[nodiscard]] Lease begin_backup(BackupRow row, const std::vector<CopyRow>& copies = {},
                                     int64_t ttl_ms = kLeaseTtlMs);
    /// One step, as a compare-and-swap on the state, with its event. Throws INVALID when the table
    /// forbids it, NOT_FOUND, and BUSY naming the actual state when the race was lost, or when
    /// `fence` (the lease under which the caller runs) is no longer held.
    void transition(std::string_view id, BackupState from, BackupState to,
                    const BackupChange& change = {}, const Lease* fence = nullptr,
                    Cause cause = Cause::step);
    /// The last step of a run, all in one transaction: the state, the copies (upserted), the event,
    /// and the lease released. Throws as transition; the fence is not optional here.
    void finish_backup(std::string_view id, BackupState from, BackupState to,
                       const BackupChange& change, const std::vector<CopyRow>& copies,
                       const Lease& lease, Cause cause = Cause::step);
    /// Writes fields without a change of state (expires_ms, notes …). Throws NOT_FOUND.
    void update_backup(std::string_view id, const BackupChange& change);

    [[nodiscard]] std::optional<BackupRow> backup(std::string_view id) const;
    /// By the id or the beginning of one. Throws NOT_FOUND, and INVALID listing up to five when
    /// several begin so.
    [[nodiscard]] BackupRow find_backup(std::string_view prefix) const;
    /// Newest first.
    [[nodiscard]] std::vector<BackupRow> list(const BackupFilter& filter = {}) const;
    /// The newest that fits: among the completed ones unless the filter names states.
    [[nodiscard]] std::optional<BackupRow> latest(BackupFilter filter) const;

    /// Inserts or replaces the copy (backup_id, storage). Throws NOT_FOUND for an unknown backup,
    /// BUSY when the table forbids the change from the state in which it is by now.
    void put_copy(const CopyRow& copy);
    /// Of one backup, by storage name.
    [[nodiscard]] std::vector<CopyRow> copies(std::string_view backup_id) const;
    /// Of many backups in one query, in no promised order.
    [[nodiscard]] std::vector<CopyRow> copies(const BackupFilter& filter) const;
    /// All that are in this state, by backup.
    [[nodiscard]] std::vector<CopyRow> copies(CopyState state) const;
    /// By storage name.
    [[nodiscard]] std::vector<StorageUsage> usage(const BackupFilter& filter = {}) const;

    /// For rebuild and adoption: `row` (completed) and `copies` as found on the storages.
    /// Idempotent. Never takes anything from a completed row: only fields that are set replace, an
    /// older verification does not replace a newer one, and notes are kept. A copy that is being
    /// deleted stays so.
    ImportOutcome import_backup(const BackupRow& row, const std::vector<CopyRow>& copies);

    // -- Deletion
    // ----------------------------------------------------------------------------------

    /// The first step of deleting a backup, or its copy on `storage` alone, all in one transaction:
    /// the row `deleting` (with its event; not for one copy), the copies `deleting` (`deleted`
    /// those that have no objects), and the lease "backup:<id>" of this process. What is `deleting`
    /// already is gone on with. Throws BUSY while the backup runs, a living process has its lease
    /// or restores it; INVALID while another backup builds on it, and for the last good copy
    /// (stored, not found damaged) of a completed one; NOT_FOUND.
    [[nodiscard]] Lease begin_deletion(std::string_view id, std::string_view storage = {},
                                       int64_t ttl_ms = kLeaseTtlMs);
    /// The lease "backup:<id>" for mending a backup that does not run; nothing when a living
    /// process has it or when the backup is active.
    [[nodiscard]] std::optional<Lease> try_acquire_backup(std::string_view id,
                                                          int64_t ttl_ms = kLeaseTtlMs);
    /// The end of such work, all in one transaction: the copies, the row `deleted` when it is
    /// `deleting` and all of its copies are `deleted`, and the lease released. Throws BUSY when the
    /// lease was lost.
    void settle_copies(std::string_view id, const std::vector<CopyRow>& copies, const Lease& lease);

    // -- Restores
    // ----------------------------------------------------------------------------------

    /// As begin_backup, with the lease "restore:<id>". The backup need not be known (it may come
    /// from a storage that the catalog has never seen).
    [[nodiscard]] Lease begin_restore(RestoreRow row, int64_t ttl_ms = kLeaseTtlMs);
    void transition(std::string_view id, RestoreState from, RestoreState to,
                    const RestoreChange& change = {}, const Lease* fence = nullptr);
    void finish_restore(std::string_view id, RestoreState from, RestoreState to,
                        const RestoreChange& change, const Lease& lease);
    [[nodiscard]] std::optional<RestoreRow> restore(std::string_view id) const;
    [[nodiscard]] RestoreRow find_restore(std::string_view prefix) const;
    /// Newest first: the restore log.
    [[nodiscard]] std::vector<RestoreRow> restores(const RestoreFilter& filter = {}) const;

    // -- Leases
    // ------------------------------------------------------------------------------------

    /// The lease of that name for this process; nothing when a living one holds it. A dead holder
    /// is replaced.
    [[nodiscard]] std::optional<Lease> try_acquire(std::string_view name,
                                                   int64_t ttl_ms = kLeaseTtlMs);
    /// One of at most `limit` slots "<name>#0", "<name>#1" …; nothing when all are held by the
    /// living. Counts the holders of higher numbers too, so that a lowered limit holds at once.
    [[nodiscard]] std::optional<Lease> try_acquire_slot(std::string_view name, int64_t limit,
                                                        int64_t ttl_ms = kLeaseTtlMs);
    /// Renews; false when it has another holder or none: the lease is lost for good.
    [[nodiscard]] bool renew(const Lease& lease);
    /// Gives it back; nothing happens when it is no longer held.
    void release(const Lease& lease);
    /// Whether it still stands as it was given.
    [[nodiscard]] bool held(const Lease& lease) const;
    [[nodiscard]] std::vector<Lease> leases() const;
    /// All whose holder is dead.
    [[nodiscard]] std::vector<Lease> expired_leases() const;
    /// Active rows with a dead lease or none: what whoever starts next looks after.
    [[nodiscard]] std::vector<Orphan> orphans() const;
    /// Takes the lease "backup:<id>" or "restore:<id>" of the orphan for this process, so that of
    /// several reapers one gets it; nothing when another was faster or the holder lives after all.
    [[nodiscard]] std::optional<Lease> take_over(const Orphan& orphan,
                                                 int64_t ttl_ms = kLeaseTtlMs);
    /// The same by name, as a compare-and-swap on the epoch.
    [[nodiscard]] std::optional<Lease> take_over(std::string_view name, int64_t epoch,
                                                 int64_t ttl_ms = kLeaseTtlMs);

    // -- Events and upkeep
    // -------------------------------------------------------------------------

    /// Gives its number. `at_ms` 0 means now.
    int64_t add_event(EventRow event);
    /// Those after `seq`, oldest first.
    [[nodiscard]] std::vector<EventRow> events(int64_t after_seq = 0, int64_t limit = 1000) const;
    /// Removes the ones before that time; gives their number.
    int64_t prune_events(TimeMs before);
    /// Everything that is wrong with the file or its rows; empty when all is well. Reads the whole
    /// file.
    [[nodiscard]] std::vector<CatalogProblem> check() const;

    struct Impl; ///< opaque; catalog_internal.hpp has it

private:
    std::unique_ptr<Impl> impl_;
};

} // namespace bkhost
