// Backups and their copies in the catalog; see catalog.hpp.
#include "core/catalog/catalog.hpp"
#include "core/catalog/catalog_internal.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

using internal::Bind;
using internal::column_names;
using internal::Conditions;
using internal::read_row;
using internal::read_rows;
using internal::Statement;
using internal::Transaction;

Lease Catalog::begin_backup(BackupRow row, const std::vector<CopyRow>& copies, int64_t ttl_ms) {
    internal::require_id(row.id);
    if (row.state != BackupState::pending)
        throw bk::Error(BK_E_INVALID, "backup '" + row.id + "' begins as 'pending', not as '" +
                                          std::string(state_name(row.state)) + "'");
    const std::lock_guard lock(impl_->mutex);
    if (row.started_ms == 0) row.started_ms = impl_->clock.now();
    Transaction transaction(impl_->database);
    if (impl_->backup(row.id))
        throw bk::Error(BK_E_EXISTS, "backup '" + row.id + "' is in the catalog already");
    internal::insert_row(impl_->database, "INSERT", "backups", row);
    for (CopyRow copy : copies) {
        copy.backup_id = row.id;
        impl_->put_copy(copy);
    }
    Lease lease = impl_->grant(std::string(internal::kBackupLease) + row.id, ttl_ms);
    impl_->add_state_event("backup", row.id, "", state_name(row.state), Cause::step, "");
    transaction.commit();
    return lease;
}

void Catalog::transition(std::string_view id, BackupState from, BackupState to,
                         const BackupChange& change, const Lease* fence, Cause cause) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    impl_->require(fence);
    impl_->change_state(id, from, to, change, cause);
    transaction.commit();
}

void Catalog::finish_backup(std::string_view id, BackupState from, BackupState to,
                            const BackupChange& change, const std::vector<CopyRow>& copies,
                            const Lease& lease, Cause cause) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    impl_->require(lease, internal::kBackupLease, id);
    impl_->change_state(id, from, to, change, cause);
    for (CopyRow copy : copies) {
        copy.backup_id = id;
        impl_->put_copy(copy);
    }
    impl_->release(lease);
    transaction.commit();
}

void Catalog::update_backup(std::string_view id, const BackupChange& change) {
    const std::lock_guard lock(impl_->mutex);
    internal::Assignments assignments;
    internal::visit_change(change, assignments);
    Statement update(impl_->database,
                     "UPDATE backups SET id = id" + assignments.sql + " WHERE id = ?");
    internal::visit_change(change, Bind{update});
    update.bind(id).run();
    if (impl_->database.changes() == 0)
        throw bk::Error(BK_E_NOT_FOUND,
                        "there is no backup '" + std::string(id) + "' in the catalog");
}

std::optional<BackupRow> Catalog::backup(std::string_view id) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->backup(id);
}

BackupRow Catalog::find_backup(std::string_view prefix) const {
    const std::lock_guard lock(impl_->mutex);
    Transaction one_state(impl_->database, Transaction::Kind::read);
    return *impl_->backup(internal::find_id(impl_->database, "backups", "backup", prefix));
}

std::vector<BackupRow> Catalog::list(const BackupFilter& filter) const {
    const std::lock_guard lock(impl_->mutex);
    const Conditions conditions = internal::conditions_of(filter);
    Statement statement(impl_->database,
                        "SELECT " + column_names<BackupRow>() + " FROM backups" + conditions.sql());
    conditions.bind(statement);
    return read_rows<BackupRow>(statement);
}

std::optional<BackupRow> Catalog::latest(BackupFilter filter) const {
    if (filter.states.empty()) filter.states = {BackupState::completed};
    filter.limit = 1;
    std::vector<BackupRow> rows = list(filter);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

void Catalog::put_copy(const CopyRow& copy) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    if (!impl_->backup(copy.backup_id))
        throw bk::Error(BK_E_NOT_FOUND,
                        "there is no backup '" + copy.backup_id + "' in the catalog");
    impl_->put_copy(copy);
    transaction.commit();
}

std::vector<CopyRow> Catalog::copies(std::string_view backup_id) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->copies(backup_id);
}

std::vector<CopyRow> Catalog::copies(const BackupFilter& filter) const {
    const std::lock_guard lock(impl_->mutex);
    const Conditions conditions = internal::conditions_of(filter);
    Statement statement(impl_->database,
                        "SELECT " + column_names<CopyRow>() +
                            " FROM copies WHERE backup_id IN (SELECT id FROM backups" +
                            conditions.sql() + ")");
    conditions.bind(statement);
    return read_rows<CopyRow>(statement);
}

std::vector<CopyRow> Catalog::copies(CopyState state) const {
    const std::lock_guard lock(impl_->mutex);
    Statement statement(impl_->database,
                        "SELECT " + column_names<CopyRow>() +
                            " FROM copies WHERE state = ? ORDER BY backup_id, storage");
    statement.bind(state_name(state));
    return read_rows<CopyRow>(statement);
}

std::vector<StorageUsage> Catalog::usage(const BackupFilter& filter) const {
    const std::lock_guard lock(impl_->mutex);
    const Conditions conditions = internal::conditions_of(filter);
    Statement statement(
        impl_->database,
        "SELECT c.storage, count(*), sum(c.size), min(b.started_ms), max(b.started_ms) "
        "FROM copies c JOIN backups b ON b.id = c.backup_id "
        "WHERE c.state = 'stored' AND b.id IN (SELECT id FROM backups" +
            conditions.sql() + ") GROUP BY c.storage ORDER BY c.storage");
    conditions.bind(statement);
    std::vector<StorageUsage> usage;
    while (statement.step())
        usage.push_back({statement.text(0), statement.integer(1), statement.integer(2),
                         statement.integer(3), statement.integer(4)});
    return usage;
}

void Catalog::Impl::put_copy(const CopyRow& copy, Cause cause) {
    for (const CopyRow& known : copies(copy.backup_id))
        if (known.storage == copy.storage && known.state != copy.state &&
            !allowed(known.state, copy.state, cause))
            throw bk::Error(BK_E_BUSY,
                            "the copy of backup '" + copy.backup_id + "' on storage '" +
                                copy.storage + "' is '" + std::string(state_name(known.state)) +
                                "' and cannot become '" + std::string(state_name(copy.state)) + "'",
                            "another process has changed it meanwhile");
    internal::insert_row(database, "INSERT OR REPLACE", "copies", copy);
}

std::vector<CopyRow> Catalog::Impl::copies(std::string_view backup_id) {
    Statement statement(database, "SELECT " + column_names<CopyRow>() +
                                      " FROM copies WHERE backup_id = ? ORDER BY storage");
    statement.bind(backup_id);
    return read_rows<CopyRow>(statement);
}

std::optional<BackupRow> Catalog::Impl::backup(std::string_view id) {
    Statement statement(database,
                        "SELECT " + column_names<BackupRow>() + " FROM backups WHERE id = ?");
    if (!statement.bind(id).step()) return std::nullopt;
    return read_row<BackupRow>(statement);
}

internal::Conditions internal::conditions_of(const BackupFilter& filter) {
    Conditions conditions;
    conditions.add("environment = ?", filter.environment);
    conditions.add("source = ?", filter.source);
    conditions.add("job = ?", filter.job);
    conditions.add("tenant = ?", filter.tenant);
    conditions.add("type = ?", filter.type);
    conditions.add("engine = ?", filter.engine);
    conditions.any_of("state", filter.states);
    conditions.add("id IN (SELECT backup_id FROM copies WHERE state = 'stored' AND storage = ?)",
                   filter.storage);
    conditions.add("started_ms >= ?", filter.since);
    conditions.add("started_ms < ?", filter.until);
    conditions.newest_first(filter.limit);
    return conditions;
}

} // namespace bkhost
