// Opening, events, and what backups and restores have in common.
#include "core/catalog/catalog.hpp"

#include "core/base/text.hpp"
#include "core/catalog/catalog_internal.hpp"
#include "core/catalog/schema.hpp"

#include <bkhost/error.hpp>

#include <nlohmann/json.hpp>

namespace bkhost {

using internal::Statement;
using internal::Transaction;

Catalog::Impl::Impl(std::filesystem::path path, const Clock& the_clock,
                    const ProcessProbe& the_probe)
    : file(std::move(path)), clock(the_clock), probe(the_probe), self(the_probe.self()),
      database((internal::create_file(file), file)) {
    internal::open_schema(database, file);
}

Catalog::Catalog(std::filesystem::path file, const Clock& clock, const ProcessProbe& probe)
    : impl_(std::make_unique<Impl>(std::move(file), clock, probe)) {}

Catalog::~Catalog() = default;

const std::filesystem::path& Catalog::file() const noexcept { return impl_->file; }

std::filesystem::path Catalog::set_aside(const std::filesystem::path& file, const Clock& clock) {
    const std::string target = file.string() + ".damaged-" + format_time_compact(clock.now());
    // The log first: one that is left behind would be replayed into the new file.
    for (const char* part : {"-wal", "-shm", ""}) {
        std::error_code error;
        std::filesystem::rename(file.string() + part, target + part, error);
        if (error && !(*part != '\0' && error == std::errc::no_such_file_or_directory))
            bk::throw_errno(error.value(), "cannot rename '" + file.string() + part + "'");
    }
    return target;
}

int64_t Catalog::add_event(EventRow event) {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->database);
    impl_->add_event(std::move(event));
    const int64_t seq = impl_->database.last_row();
    transaction.commit();
    return seq;
}

std::vector<EventRow> Catalog::events(int64_t after_seq, int64_t limit) const {
    const std::lock_guard lock(impl_->mutex);
    Statement statement(impl_->database, "SELECT " + internal::column_names<EventRow>() +
                                             " FROM events WHERE seq > ? ORDER BY seq LIMIT ?");
    statement.bind(after_seq).bind(limit);
    return internal::read_rows<EventRow>(statement);
}

int64_t Catalog::prune_events(TimeMs before) {
    const std::lock_guard lock(impl_->mutex);
    Statement(impl_->database, "DELETE FROM events WHERE at_ms < ?").bind(before).run();
    return impl_->database.changes();
}

void Catalog::Impl::add_event(EventRow event) {
    Statement statement(database, "INSERT INTO events(at_ms, kind, backup_id, restore_id, data) "
                                  "VALUES(?, ?, ?, ?, ?)");
    statement.bind(event.at_ms != 0 ? event.at_ms : clock.now())
        .bind(event.kind)
        .bind(event.backup_id)
        .bind(event.restore_id)
        .bind(event.data)
        .run();
}

void Catalog::Impl::add_state_event(std::string_view kind, std::string_view id,
                                    std::string_view from, std::string_view to, Cause cause,
                                    const std::string& error) {
    nlohmann::json data{{"from", from}};
    if (cause == Cause::adopt) data["cause"] = "adopt";
    if (!error.empty()) data["error"] = error;
    EventRow event;
    event.kind = std::string(kind) + '.' + std::string(to);
    (kind == "backup" ? event.backup_id : event.restore_id) = std::string(id);
    event.data = data.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    add_event(std::move(event));
}

template <class State, class Change>
void Catalog::Impl::change_state(std::string_view id, State from, State to, Change change,
                                 Cause cause) {
    const std::string kind = std::is_same_v<State, BackupState> ? "backup" : "restore";
    const std::string object = kind + " '" + std::string(id) + "'";
    const auto quoted = [](State state) { return "'" + std::string(state_name(state)) + "'"; };
    if (!allowed(from, to, cause))
        throw bk::Error(BK_E_INVALID,
                        object + " cannot go from " + quoted(from) + " to " + quoted(to));
    if (is_active(from) && !is_active(to) && !change.finished_ms) change.finished_ms = clock.now();

    internal::Assignments assignments;
    internal::visit_change(change, assignments);
    Statement update(database, "UPDATE " + kind + "s SET state = ?" + assignments.sql +
                                   " WHERE id = ? AND state = ?");
    update.bind(state_name(to));
    internal::visit_change(change, internal::Bind{update});
    update.bind(id).bind(state_name(from)).run();
    if (database.changes() == 1)
        return add_state_event(kind, id, state_name(from), state_name(to), cause,
                               change.error.value_or(""));

    Statement actual(database, "SELECT state FROM " + kind + "s WHERE id = ?");
    if (!actual.bind(id).step())
        throw bk::Error(BK_E_NOT_FOUND, "there is no " + object + " in the catalog");
    throw bk::Error(BK_E_BUSY, object + " is '" + actual.text(0) + "', not " + quoted(from),
                    "another process has changed it meanwhile");
}

template void Catalog::Impl::change_state(std::string_view, BackupState, BackupState, BackupChange,
                                          Cause);
template void Catalog::Impl::change_state(std::string_view, RestoreState, RestoreState,
                                          RestoreChange, Cause);

namespace internal {

void Conditions::newest_first(const std::optional<int64_t>& limit) {
    sql_ += " ORDER BY started_ms DESC, id DESC";
    if (!limit) return;
    if (*limit < 1)
        throw bk::Error(BK_E_INVALID, "limit " + std::to_string(*limit) + " is below 1",
                        "leave it out for no limit");
    sql_ += " LIMIT ?";
    values_.emplace_back(*limit);
}

void Conditions::bind(Statement& statement) const {
    for (const auto& value : values_)
        std::visit([&](const auto& known) { statement.bind(known); }, value);
}

void require_id(std::string_view id) {
    if (!is_id(id))
        throw bk::Error(BK_E_INVALID, "'" + std::string(id) + "' is not an id",
                        "ids look like 20260211T031500Z-k3f9qd");
}

std::string find_id(Database& database, const std::string& table, const std::string& noun,
                    std::string_view prefix) {
    if (prefix.empty()) throw bk::Error(BK_E_INVALID, "an empty text names no " + noun);
    constexpr size_t kListed = 5;
    Statement statement(database, "SELECT id FROM " + table +
                                      " WHERE id >= ?1 AND id < ?1 || char(1114111) "
                                      "ORDER BY id DESC LIMIT " +
                                      std::to_string(kListed + 1));
    statement.bind(prefix);
    std::vector<std::string> ids;
    while (statement.step())
        ids.push_back(statement.text(0));
    const std::string quoted = "'" + std::string(prefix) + "'";
    if (ids.empty())
        throw bk::Error(BK_E_NOT_FOUND, "no " + noun + " in the catalog begins with " + quoted,
                        "list them to see what there is");
    if (ids.size() == 1) return ids.front();
    const bool more = ids.size() > kListed;
    if (more) ids.resize(kListed);
    throw bk::Error(BK_E_INVALID,
                    "several " + noun + "s begin with " + quoted + ": " + join(ids) +
                        (more ? " …" : ""),
                    "give more of the id");
}

} // namespace internal
} // namespace bkhost
