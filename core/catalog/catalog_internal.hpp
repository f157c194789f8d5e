// What the parts of Catalog share. Every function here wants the mutex to be held, and those that
// write an open write transaction. Internal to the catalog.
#pragma once

#include "core/catalog/catalog.hpp"
#include "core/catalog/columns.hpp"
#include "core/catalog/database.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bkhost {

struct Catalog::Impl {
    Impl(std::filesystem::path file, const Clock& clock, const ProcessProbe& probe);

    std::filesystem::path file;
    const Clock& clock;
    const ProcessProbe& probe;
    const Owner self;
    std::mutex mutex;
    internal::Database database;

    void add_event(EventRow event);
    /// For a change of state: `kind` is "backup" or "restore".
    void add_state_event(std::string_view kind, std::string_view id, std::string_view from,
                         std::string_view to, Cause cause, const std::string& error);

    [[nodiscard]] std::optional<Lease> find_lease(std::string_view name);
    /// The lease of that name with a new epoch for this process, whoever had it before.
    Lease grant(std::string_view name, int64_t ttl_ms);
    /// Nothing when a living process has it.
    std::optional<Lease> acquire(std::string_view name, int64_t ttl_ms);
    [[nodiscard]] bool dead(const Lease& lease) const;
    [[nodiscard]] bool held(const Lease& lease);
    /// Throws BUSY unless held; nullptr is no fence.
    void require(const Lease* fence);
    /// The same for the lease of one row. Throws INVALID when it has another name.
    void require(const Lease& lease, std::string_view prefix, std::string_view id);
    void release(const Lease& lease);

    /// Throws BUSY when the table forbids the change of its state.
    void put_copy(const CopyRow& copy, Cause cause = Cause::step);
    [[nodiscard]] std::vector<CopyRow> copies(std::string_view backup_id);
    ImportOutcome import_row(const BackupRow& row);
    [[nodiscard]] std::optional<BackupRow> backup(std::string_view id);
    [[nodiscard]] std::optional<RestoreRow> restore(std::string_view id);

    /// Compare-and-swap of the state in one UPDATE, with the fields of `change` and the event.
    template <class State, class Change>
    void change_state(std::string_view id, State from, State to, Change change, Cause cause);
};

namespace internal {

inline constexpr std::string_view kBackupLease = "backup:";
inline constexpr std::string_view kRestoreLease = "restore:";

/// "WHERE a = ? AND …" put together with its values.
class Conditions {
public:
    void add(const std::string& condition) {
        sql_ += (sql_.empty() ? " WHERE " : " AND ") + condition;
    }
    template <class Value>
    void add(const std::string& condition, const std::optional<Value>& value) {
        if (!value) return;
        add(condition);
        values_.emplace_back(*value);
    }
    template <class State>
    void any_of(const std::string& column, const std::vector<State>& states) {
        if (states.empty()) return;
        std::string list;
        for (const State state : states) {
            list += list.empty() ? "?" : ", ?";
            values_.emplace_back(std::string(state_name(state)));
        }
        add(column + " IN (" + list + ")");
    }
    /// " ORDER BY … LIMIT ?": newest first. Throws INVALID for a limit below 1.
    void newest_first(const std::optional<int64_t>& limit);
    [[nodiscard]] const std::string& sql() const { return sql_; }
    void bind(Statement& statement) const;

private:
    std::string sql_;
    std::vector<std::variant<int64_t, std::string>> values_;
};

[[nodiscard]] Conditions conditions_of(const BackupFilter& filter);

/// Throws INVALID unless the text has the form of an id.
void require_id(std::string_view id);

/// The only id of `table` that begins so; see Catalog::find_backup.
[[nodiscard]] std::string find_id(Database& database, const std::string& table,
                                  const std::string& noun, std::string_view prefix);

} // namespace internal
} // namespace bkhost
