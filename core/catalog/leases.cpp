// The leases in the catalog: granting, renewing, taking over. Each change is one transaction, so
// that of several processes one wins. See catalog.hpp; what makes a lease dead is in lease.cpp.
#include "core/catalog/catalog.hpp"
#include "core/catalog/catalog_internal.hpp"

#include <bkhost/error.hpp>

#include <set>

namespace bkhost {
namespace {

using internal::column_names;
using internal::encode;
using internal::read_row;
using internal::read_rows;
using internal::Statement;
using internal::Transaction;

constexpr std::string_view kHolds = " WHERE name = ? AND owner = ? AND epoch = ?";

void bind_holder(Statement& statement, const Lease& lease) {
    statement.bind(lease.name).bind(encode(lease.owner)).bind(lease.epoch);
}

/// The rows of `table` that are active, each with its lease, if it has one.
template <class Row>
std::vector<std::pair<Row, std::optional<Lease>>>
active_rows(Catalog::Impl& state, const std::string& table, std::string_view prefix) {
    internal::Conditions conditions;
    std::vector<decltype(Row::state)> active;
    for (const auto& entry : internal::names_of<decltype(Row::state)>())
        if (is_active(entry.state)) active.push_back(entry.state);
    conditions.any_of("state", active);
    Statement statement(state.database, "SELECT " + column_names<Row>() + " FROM " + table +
                                            conditions.sql() + " ORDER BY started_ms, id");
    conditions.bind(statement);
    std::vector<std::pair<Row, std::optional<Lease>>> rows;
    for (Row& row : read_rows<Row>(statement)) {
        std::optional<Lease> lease = state.find_lease(std::string(prefix) + row.id);
        rows.emplace_back(std::move(row), std::move(lease));
    }
    return rows;
}

} // namespace

std::optional<Lease> Catalog::Impl::find_lease(std::string_view name) {
    Statement statement(database,
                        "SELECT " + column_names<Lease>() + " FROM leases WHERE name = ?");
    if (!statement.bind(name).step()) return std::nullopt;
    return read_row<Lease>(statement);
}

Lease Catalog::Impl::grant(std::string_view name, int64_t ttl_ms) {
    if (ttl_ms < 1) throw bk::Error(BK_E_INVALID, "a lease needs a time to live of at least 1 ms");
    Lease lease;
    lease.name = std::string(name);
    lease.owner = self;
    lease.acquired_ms = clock.now();
    lease.heartbeat_ms = lease.acquired_ms;
    lease.heartbeat_mono_ms = clock.monotonic_ms();
    lease.ttl_ms = ttl_ms;
    database.run("UPDATE counters SET value = value + 1 WHERE name = 'lease_epoch'");
    lease.epoch = database.integer("SELECT value FROM counters WHERE name = 'lease_epoch'");
    internal::insert_row(database, "INSERT OR REPLACE", "leases", lease);
    return lease;
}

std::optional<Lease> Catalog::Impl::acquire(std::string_view name, int64_t ttl_ms) {
    const std::optional<Lease> known = find_lease(name);
    if (known && !dead(*known)) return std::nullopt;
    return grant(name, ttl_ms);
}

bool Catalog::Impl::dead(const Lease& lease) const { return is_dead(lease, self, probe, clock); }

bool Catalog::Impl::held(const Lease& lease) {
    Statement statement(database, "SELECT 1 FROM leases" + std::string(kHolds));
    bind_holder(statement, lease);
    return statement.step();
}

void Catalog::Impl::require(const Lease* fence) {
    if (fence == nullptr || held(*fence)) return;
    const std::optional<Lease> now = find_lease(fence->name);
    throw bk::Error(BK_E_BUSY,
                    "the lease '" + fence->name + "' is lost: " +
                        (now ? "pid " + std::to_string(now->owner.pid) + " on '" +
                                   now->owner.host_name + "' has taken it over"
                             : "it was given back or taken over"),
                    "this process was taken for dead; run it again");
}

void Catalog::Impl::require(const Lease& lease, std::string_view prefix, std::string_view id) {
    const std::string name = std::string(prefix) + std::string(id);
    if (lease.name != name)
        throw bk::Error(BK_E_INVALID, "the lease '" + lease.name + "' is not '" + name + "'");
    require(&lease);
}

void Catalog::Impl::release(const Lease& lease) {
    Statement statement(database, "DELETE FROM leases" + std::string(kHolds));
    bind_holder(statement, lease);
    statement.run();
}

std::optional<Lease> Catalog::try_acquire(std::string_view name, int64_t ttl_ms) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    std::optional<Lease> lease = impl_->acquire(name, ttl_ms);
    transaction.commit();
    return lease;
}

std::optional<Lease> Catalog::try_acquire_slot(std::string_view name, int64_t limit,
                                               int64_t ttl_ms) {
    if (limit < 1)
        throw bk::Error(BK_E_INVALID, "the limit of '" + std::string(name) + "' is " +
                                          std::to_string(limit) + "; it must be at least 1");
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    Statement statement(impl_->database,
                        "SELECT " + column_names<Lease>() +
                            " FROM leases WHERE name > ?1 || '#' AND name < ?1 || '$'");
    statement.bind(name); // '$' follows '#' in ASCII: the range is everything that begins "<name>#"
    std::set<std::string> held;
    for (const Lease& lease : read_rows<Lease>(statement)) {
        if (impl_->dead(lease))
            impl_->release(lease);
        else
            held.insert(lease.name);
    }
    std::optional<Lease> slot;
    for (int64_t i = 0; static_cast<int64_t>(held.size()) < limit && !slot; ++i) {
        const std::string candidate = std::string(name) + '#' + std::to_string(i);
        if (!held.contains(candidate)) slot = impl_->grant(candidate, ttl_ms);
    }
    transaction.commit();
    return slot;
}

bool Catalog::renew(const Lease& lease) {
    const std::lock_guard lock(impl_->mutex);
    const TimeMs now = impl_->clock.now();
    const int64_t mono = impl_->clock.monotonic_ms();
    Statement statement(impl_->database,
                        "UPDATE leases SET heartbeat_ms = ?, heartbeat_mono_ms = ?" +
                            std::string(kHolds));
    statement.bind(now).bind(mono);
    bind_holder(statement, lease);
    statement.run();
    return impl_->database.changes() == 1;
}

void Catalog::release(const Lease& lease) {
    const std::lock_guard lock(impl_->mutex);
    impl_->release(lease);
}

bool Catalog::held(const Lease& lease) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->held(lease);
}

std::vector<Lease> Catalog::leases() const {
    const std::lock_guard lock(impl_->mutex);
    Statement statement(impl_->database,
                        "SELECT " + column_names<Lease>() + " FROM leases ORDER BY name");
    return read_rows<Lease>(statement);
}

std::vector<Lease> Catalog::expired_leases() const {
    std::vector<Lease> expired = leases();
    std::erase_if(expired, [&](const Lease& lease) { return !impl_->dead(lease); });
    return expired;
}

std::vector<Orphan> Catalog::orphans() const {
    const std::lock_guard lock(impl_->mutex);
    Transaction one_state(impl_->database, Transaction::Kind::read);
    std::vector<Orphan> orphans;
    const auto orphaned = [&](const std::optional<Lease>& lease) {
        return !lease || impl_->dead(*lease);
    };
    for (auto& [row, lease] : active_rows<BackupRow>(*impl_, "backups", internal::kBackupLease))
        if (orphaned(lease)) orphans.push_back({std::move(row), std::nullopt, std::move(lease)});
    for (auto& [row, lease] : active_rows<RestoreRow>(*impl_, "restores", internal::kRestoreLease))
        if (orphaned(lease)) orphans.push_back({std::nullopt, std::move(row), std::move(lease)});
    return orphans;
}

std::optional<Lease> Catalog::take_over(const Orphan& orphan, int64_t ttl_ms) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    std::string name;
    bool active = false; // somebody else may have ended it since it was listed
    if (orphan.backup) {
        name = std::string(internal::kBackupLease) + orphan.backup->id;
        const std::optional<BackupRow> row = impl_->backup(orphan.backup->id);
        active = row && is_active(row->state);
    } else if (orphan.restore) {
        name = std::string(internal::kRestoreLease) + orphan.restore->id;
        const std::optional<RestoreRow> row = impl_->restore(orphan.restore->id);
        active = row && is_active(row->state);
    }
    std::optional<Lease> lease;
    if (active) lease = impl_->acquire(name, ttl_ms);
    transaction.commit();
    return lease;
}

std::optional<Lease> Catalog::take_over(std::string_view name, int64_t epoch, int64_t ttl_ms) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    const std::optional<Lease> known = impl_->find_lease(name);
    std::optional<Lease> lease;
    if (known && known->epoch == epoch) lease = impl_->acquire(name, ttl_ms);
    transaction.commit();
    return lease;
}

} // namespace bkhost
