// The catalog's part of deleting: what refuses it, and its first and last step. What happens on the
// storages in between is core/job's. See catalog.hpp.
#include "core/catalog/catalog.hpp"
#include "core/catalog/catalog_internal.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

using internal::Conditions;
using internal::Statement;
using internal::Transaction;

std::string object_of(const BackupRow& row) { return "backup '" + row.id + "'"; }

void refuse_active(const BackupRow& row) {
    if (is_active(row.state))
        throw bk::Error(BK_E_BUSY, object_of(row) + " is " + std::string(state_name(row.state)),
                        "wait until it has ended, or end it first");
}

void refuse_while_restored(Catalog::Impl& state, const BackupRow& row) {
    Conditions conditions;
    conditions.add("backup_id = ?", std::optional(row.id));
    conditions.any_of("state", std::vector{RestoreState::pending, RestoreState::running});
    Statement statement(state.database, "SELECT id FROM restores" + conditions.sql());
    conditions.bind(statement);
    while (statement.step()) {
        const std::string id = statement.text(0);
        const std::optional<Lease> lease =
            state.find_lease(std::string(internal::kRestoreLease) + id);
        if (lease && !state.dead(*lease))
            throw bk::Error(BK_E_BUSY,
                            object_of(row) + " is being restored by restore '" + id + "'",
                            "wait until it has ended");
    }
}

void refuse_parent(Catalog::Impl& state, const BackupRow& row) {
    Conditions conditions;
    conditions.add("parent_id = ?", std::optional(row.id));
    conditions.add("parent_id <> ''"); // as the index has it
    conditions.any_of("state", std::vector{BackupState::pending, BackupState::running,
                                           BackupState::verifying, BackupState::completed,
                                           BackupState::expired});
    Statement statement(state.database, "SELECT id FROM backups" + conditions.sql());
    conditions.bind(statement);
    if (statement.step())
        throw bk::Error(BK_E_INVALID,
                        object_of(row) + " is needed by backup '" + statement.text(0) +
                            "', which builds on it",
                        "delete that one first");
}

/// What is left to remove: nothing of a copy that failed.
CopyState first_step(CopyState state) {
    const bool gone = state == CopyState::failed || state == CopyState::deleted;
    return gone ? CopyState::deleted : CopyState::deleting;
}

/// The copy on that storage, when it may go alone.
CopyRow one_copy(const BackupRow& row, const std::vector<CopyRow>& copies,
                 std::string_view storage) {
    const auto found = std::ranges::find(copies, storage, &CopyRow::storage);
    if (found == copies.end() || found->state == CopyState::deleted)
        throw bk::Error(BK_E_NOT_FOUND,
                        "storage '" + std::string(storage) + "' has no copy of " + object_of(row),
                        "see 'bkhost show " + row.id + "'");
    if (found->state == CopyState::deleting) return *found;
    const std::string whole = "delete the backup itself: bkhost delete " + row.id;
    if (row.state != BackupState::completed && row.state != BackupState::expired)
        throw bk::Error(BK_E_INVALID,
                        object_of(row) + " is " + std::string(state_name(row.state)) +
                            ": no copy of it can be deleted alone",
                        whole);
    const bool another_good = std::ranges::any_of(copies, [&](const CopyRow& copy) {
        return copy.storage != storage && copy.state == CopyState::stored &&
               copy.verified_outcome != VerifyOutcome::failed;
    });
    if (!another_good)
        throw bk::Error(BK_E_INVALID,
                        "no other storage than '" + std::string(storage) + "' has a good copy of " +
                            object_of(row),
                        whole);
    return *found;
}

} // namespace

Lease Catalog::begin_deletion(std::string_view id, std::string_view storage, int64_t ttl_ms) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    const std::optional<BackupRow> row = impl_->backup(id);
    if (!row)
        throw bk::Error(BK_E_NOT_FOUND,
                        "there is no backup '" + std::string(id) + "' in the catalog");
    refuse_active(*row);
    refuse_while_restored(*impl_, *row);
    std::optional<Lease> lease =
        impl_->acquire(std::string(internal::kBackupLease) + row->id, ttl_ms);
    if (!lease)
        throw bk::Error(BK_E_BUSY, object_of(*row) + " is being worked on by another process",
                        "wait until it has ended, and see 'bkhost show " + row->id + "'");
    std::vector<CopyRow> copies = impl_->copies(id);
    if (!storage.empty()) copies = {one_copy(*row, copies, storage)};
    if (storage.empty() && row->state != BackupState::deleting) {
        refuse_parent(*impl_, *row);
        impl_->change_state(id, row->state, BackupState::deleting, BackupChange{}, Cause::step);
    }
    for (CopyRow& copy : copies) {
        copy.state = first_step(copy.state);
        impl_->put_copy(copy);
    }
    transaction.commit();
    return *lease;
}

std::optional<Lease> Catalog::try_acquire_backup(std::string_view id, int64_t ttl_ms) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    const std::optional<BackupRow> row = impl_->backup(id);
    if (!row || is_active(row->state)) return std::nullopt;
    std::optional<Lease> lease =
        impl_->acquire(std::string(internal::kBackupLease) + row->id, ttl_ms);
    transaction.commit();
    return lease;
}

void Catalog::settle_copies(std::string_view id, const std::vector<CopyRow>& copies,
                            const Lease& lease) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    impl_->require(lease, internal::kBackupLease, id);
    for (CopyRow copy : copies) {
        copy.backup_id = id;
        impl_->put_copy(copy);
    }
    const std::optional<BackupRow> row = impl_->backup(id);
    const bool gone = std::ranges::all_of(
        impl_->copies(id), [](const CopyRow& copy) { return copy.state == CopyState::deleted; });
    if (row && row->state == BackupState::deleting && gone)
        impl_->change_state(id, row->state, BackupState::deleted, BackupChange{}, Cause::step);
    impl_->release(lease);
    transaction.commit();
}

} // namespace bkhost
