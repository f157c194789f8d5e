// The restore log in the catalog; see catalog.hpp.
#include "core/catalog/catalog.hpp"
#include "core/catalog/catalog_internal.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

using internal::Conditions;
using internal::Statement;
using internal::Transaction;

Lease Catalog::begin_restore(RestoreRow row, int64_t ttl_ms) {
    internal::require_id(row.id);
    if (row.state != RestoreState::pending)
        throw bk::Error(BK_E_INVALID, "restore '" + row.id + "' begins as 'pending', not as '" +
                                          std::string(state_name(row.state)) + "'");
    const std::lock_guard lock(impl_->mutex);
    if (row.started_ms == 0) row.started_ms = impl_->clock.now();
    Transaction transaction(impl_->database);
    if (impl_->restore(row.id))
        throw bk::Error(BK_E_EXISTS, "restore '" + row.id + "' is in the catalog already");
    internal::insert_row(impl_->database, "INSERT", "restores", row);
    Lease lease = impl_->grant(std::string(internal::kRestoreLease) + row.id, ttl_ms);
    impl_->add_state_event("restore", row.id, "", state_name(row.state), Cause::step, "");
    transaction.commit();
    return lease;
}

void Catalog::transition(std::string_view id, RestoreState from, RestoreState to,
                         const RestoreChange& change, const Lease* fence) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    impl_->require(fence);
    impl_->change_state(id, from, to, change, Cause::step);
    transaction.commit();
}

void Catalog::finish_restore(std::string_view id, RestoreState from, RestoreState to,
                             const RestoreChange& change, const Lease& lease) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    impl_->require(lease, internal::kRestoreLease, id);
    impl_->change_state(id, from, to, change, Cause::step);
    impl_->release(lease);
    transaction.commit();
}

std::optional<RestoreRow> Catalog::restore(std::string_view id) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->restore(id);
}

RestoreRow Catalog::find_restore(std::string_view prefix) const {
    const std::lock_guard lock(impl_->mutex);
    Transaction one_state(impl_->database, Transaction::Kind::read);
    return *impl_->restore(internal::find_id(impl_->database, "restores", "restore", prefix));
}

std::vector<RestoreRow> Catalog::restores(const RestoreFilter& filter) const {
    const std::lock_guard lock(impl_->mutex);
    Conditions conditions;
    conditions.add("environment = ?", filter.environment);
    conditions.add("backup_id = ?", filter.backup_id);
    conditions.any_of("state", filter.states);
    conditions.add("started_ms >= ?", filter.since);
    conditions.add("started_ms < ?", filter.until);
    conditions.newest_first(filter.limit);
    Statement statement(impl_->database, "SELECT " + internal::column_names<RestoreRow>() +
                                             " FROM restores" + conditions.sql());
    conditions.bind(statement);
    return internal::read_rows<RestoreRow>(statement);
}

std::optional<RestoreRow> Catalog::Impl::restore(std::string_view id) {
    Statement statement(database, "SELECT " + internal::column_names<RestoreRow>() +
                                      " FROM restores WHERE id = ?");
    if (!statement.bind(id).step()) return std::nullopt;
    return internal::read_row<RestoreRow>(statement);
}

} // namespace bkhost
