// Taking over what the storages tell: the rows of a rebuilt catalog, and archives whose run died
// before it could write its row. See Catalog::import_backup.
#include "core/catalog/catalog.hpp"
#include "core/catalog/catalog_internal.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <array>

namespace bkhost {
namespace {

using internal::Statement;
using internal::Transaction;

/// Not the storages' to tell: what the operator wrote, and how the run ended.
constexpr std::array<std::string_view, 5> kOurs{"id", "state", "notes", "error", "hint"};

/// Visits only what an import may replace: values that are set, in columns that are not ours.
template <class Visitor>
struct Imported {
    Visitor visit;
    template <class Value>
    void operator()(const char* name, const Value& value) {
        if (value != Value{} && std::ranges::find(kOurs, name) == kOurs.end())
            visit(name, std::optional<Value>(value));
    }
};

void refresh(internal::Database& database, const BackupRow& row) {
    Imported<internal::Assignments> assignments;
    internal::visit_columns(row, assignments);
    Statement update(database,
                     "UPDATE backups SET id = id" + assignments.visit.sql + " WHERE id = ?");
    internal::visit_columns(row, Imported<internal::Bind>{{update}});
    update.bind(row.id).run();
}

/// A verification belongs to one manifest; of two for the same one the newer counts.
void keep_newer_verification(CopyRow& copy, const CopyRow& known) {
    if (copy.manifest_sha256 != known.manifest_sha256 || copy.verified_ms >= known.verified_ms)
        return;
    copy.verified_level = known.verified_level;
    copy.verified_ms = known.verified_ms;
    copy.verified_outcome = known.verified_outcome;
}

} // namespace

ImportOutcome Catalog::Impl::import_row(const BackupRow& row) {
    const std::optional<BackupRow> known = backup(row.id);
    if (!known) {
        internal::insert_row(database, "INSERT", "backups", row);
        EventRow event;
        event.kind = "backup.imported";
        event.backup_id = row.id;
        add_event(std::move(event));
        return ImportOutcome::inserted;
    }
    if (known->state == BackupState::completed || known->state == BackupState::expired) {
        refresh(database, row);
        return ImportOutcome::refreshed;
    }
    if (!allowed(known->state, BackupState::completed, Cause::adopt)) return ImportOutcome::kept;
    const std::optional<Lease> lease = find_lease(std::string(internal::kBackupLease) + row.id);
    if (lease && !dead(*lease)) return ImportOutcome::kept; // it is being written, or reaped
    BackupChange healed;
    healed.error = "";
    healed.hint = "";
    change_state(row.id, known->state, BackupState::completed, healed, Cause::adopt);
    refresh(database, row);
    if (lease) release(*lease);
    return ImportOutcome::adopted;
}

ImportOutcome Catalog::import_backup(const BackupRow& row, const std::vector<CopyRow>& found) {
    internal::require_id(row.id);
    if (row.state != BackupState::completed)
        throw bk::Error(BK_E_INVALID, "only a completed backup can be imported; '" + row.id +
                                          "' is '" + std::string(state_name(row.state)) + "'");
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    const ImportOutcome outcome = impl_->import_row(row);
    if (outcome == ImportOutcome::kept) return outcome;
    const std::vector<CopyRow> known = impl_->copies(row.id);
    for (CopyRow copy : found) {
        copy.backup_id = row.id;
        bool going = false;
        for (const CopyRow& before : known) {
            if (before.storage != copy.storage) continue;
            keep_newer_verification(copy, before);
            going = before.state != copy.state && !allowed(before.state, copy.state, Cause::adopt);
        }
        if (!going) impl_->put_copy(copy, Cause::adopt);
    }
    transaction.commit();
    return outcome;
}

} // namespace bkhost
