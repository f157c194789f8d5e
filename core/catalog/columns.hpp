// How rows become SQL: each row type lists its columns once, and inserting, reading and changing
// all walk that list. Internal to the catalog.
#pragma once

#include "core/catalog/database.hpp"
#include "core/catalog/lease.hpp"
#include "core/catalog/rows.hpp"

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bkhost::internal {

// -- The columns, in one order for all statements
// ---------------------------------------------------

template <class Row, class Type> // const or not
concept RowOf = std::same_as<std::remove_const_t<Row>, Type>;

template <class Row, class Visitor>
requires RowOf<Row, BackupRow>
void visit_columns(Row& row, Visitor&& visit) {
    visit("id", row.id);
    visit("job", row.job);
    visit("source", row.source);
    visit("tenant", row.tenant);
    visit("environment", row.environment);
    visit("type", row.type);
    visit("engine", row.engine);
    visit("engine_version", row.engine_version);
    visit("format", row.format);
    visit("state", row.state);
    visit("archive_key", row.archive_key);
    visit("started_ms", row.started_ms);
    visit("finished_ms", row.finished_ms);
    visit("plain_size", row.plain_size);
    visit("stored_size", row.stored_size);
    visit("rows", row.rows);
    visit("tables", row.tables);
    visit("files", row.files);
    visit("contents", row.contents);
    visit("warnings", row.warnings);
    visit("compression", row.compression);
    visit("encryption", row.encryption);
    visit("key_ids", row.key_ids);
    visit("manifest_sha256", row.manifest_sha256);
    visit("host_name", row.host_name);
    visit("initiated_by", row.initiated_by);
    visit("notes", row.notes);
    visit("error", row.error);
    visit("hint", row.hint);
    visit("retention", row.retention);
    visit("expires_ms", row.expires_ms);
    visit("parent_id", row.parent_id);
    visit("bkhost_version", row.bkhost_version);
}

template <class Row, class Visitor>
requires RowOf<Row, CopyRow>
void visit_columns(Row& row, Visitor&& visit) {
    visit("backup_id", row.backup_id);
    visit("storage", row.storage);
    visit("location", row.location);
    visit("state", row.state);
    visit("size", row.size);
    visit("manifest_sha256", row.manifest_sha256);
    visit("verified_level", row.verified_level);
    visit("verified_ms", row.verified_ms);
    visit("verified_outcome", row.verified_outcome);
    visit("error", row.error);
}

template <class Row, class Visitor>
requires RowOf<Row, RestoreRow>
void visit_columns(Row& row, Visitor&& visit) {
    visit("id", row.id);
    visit("backup_id", row.backup_id);
    visit("source", row.source);
    visit("target", row.target);
    visit("environment", row.environment);
    visit("type", row.type);
    visit("state", row.state);
    visit("tables", row.tables);
    visit("started_ms", row.started_ms);
    visit("finished_ms", row.finished_ms);
    visit("bytes", row.bytes);
    visit("rows", row.rows);
    visit("host_name", row.host_name);
    visit("initiated_by", row.initiated_by);
    visit("notes", row.notes);
    visit("error", row.error);
    visit("hint", row.hint);
}

template <class Row, class Visitor>
requires RowOf<Row, Lease>
void visit_columns(Row& row, Visitor&& visit) {
    visit("name", row.name);
    visit("owner", row.owner);
    visit("acquired_ms", row.acquired_ms);
    visit("heartbeat_ms", row.heartbeat_ms);
    visit("heartbeat_mono_ms", row.heartbeat_mono_ms);
    visit("ttl_ms", row.ttl_ms);
    visit("epoch", row.epoch);
}

template <class Row, class Visitor>
requires RowOf<Row, EventRow>
void visit_columns(Row& row, Visitor&& visit) {
    visit("seq", row.seq);
    visit("at_ms", row.at_ms);
    visit("kind", row.kind);
    visit("backup_id", row.backup_id);
    visit("restore_id", row.restore_id);
    visit("data", row.data);
}

template <class Visitor>
void visit_change(const BackupChange& change, Visitor&& visit) {
    visit("engine", change.engine);
    visit("engine_version", change.engine_version);
    visit("format", change.format);
    visit("archive_key", change.archive_key);
    visit("finished_ms", change.finished_ms);
    visit("plain_size", change.plain_size);
    visit("stored_size", change.stored_size);
    visit("rows", change.rows);
    visit("tables", change.tables);
    visit("files", change.files);
    visit("contents", change.contents);
    visit("warnings", change.warnings);
    visit("key_ids", change.key_ids);
    visit("compression", change.compression);
    visit("encryption", change.encryption);
    visit("manifest_sha256", change.manifest_sha256);
    visit("notes", change.notes);
    visit("error", change.error);
    visit("hint", change.hint);
    visit("retention", change.retention);
    visit("expires_ms", change.expires_ms);
}

template <class Visitor>
void visit_change(const RestoreChange& change, Visitor&& visit) {
    visit("source", change.source);
    visit("target", change.target);
    visit("finished_ms", change.finished_ms);
    visit("bytes", change.bytes);
    visit("rows", change.rows);
    visit("notes", change.notes);
    visit("error", change.error);
    visit("hint", change.hint);
}

// -- Values
// ------------------------------------------------------------------------------------------

inline int64_t encode(int64_t value) { return value; }
inline std::string_view encode(const std::string& value) { return value; }
std::string
encode(const std::vector<std::string>& list);   ///< JSON; bytes that are not UTF-8 as U+FFFD
std::string encode(const DriverSpec& location); ///< JSON; throws INVALID when not UTF-8
std::string encode(const Owner& owner);         ///< JSON; equal owners give equal texts
template <class State>
requires std::is_enum_v<State> std::string_view encode(State state) { return state_name(state); }

// All of these throw CORRUPT for what this program cannot have written.
inline void decode(const Statement& from, int column, int64_t& value) {
    value = from.integer(column);
}
inline void decode(const Statement& from, int column, std::string& value) {
    value = from.text(column);
}
void decode(const Statement& from, int column, std::vector<std::string>& list);
void decode(const Statement& from, int column, DriverSpec& location);
void decode(const Statement& from, int column, Owner& owner);
[[noreturn]] void throw_damaged(std::string_view what, std::string_view text);
template <class State>
requires std::is_enum_v<State>
void decode(const Statement& from, int column, State& state) {
    const std::string text = from.text(column);
    const std::optional<State> parsed = parse_state<State>(text);
    if (!parsed) throw_damaged("state", text);
    state = *parsed;
}

// -- Visitors
// ----------------------------------------------------------------------------------------

/// Binds every value to the next parameter.
struct Bind {
    Statement& statement;
    template <class Value>
    void operator()(const char*, const Value& value) {
        statement.bind(encode(value));
    }
    template <class Value>
    void operator()(const char*, const std::optional<Value>& value) {
        if (value) statement.bind(encode(*value));
    }
};

/// Reads every value from the next column.
struct Read {
    const Statement& statement;
    int column = 0;
    template <class Value>
    void operator()(const char*, Value& value) {
        decode(statement, column++, value);
    }
};

/// "a, b, c" and "?, ?, ?"
struct Names {
    std::string names, parameters;
    template <class Value>
    void operator()(const char* name, const Value&) {
        names += (names.empty() ? "" : ", ") + std::string(name);
        parameters += parameters.empty() ? "?" : ", ?";
    }
};

/// ", a = ?, b = ?" for the values that are set.
struct Assignments {
    std::string sql;
    template <class Value>
    void operator()(const char* name, const std::optional<Value>& value) {
        if (value) sql += std::string(", ") + name + " = ?";
    }
};

template <class Row>
Row read_row(const Statement& statement) {
    Row row;
    visit_columns(row, Read{statement});
    return row;
}

template <class Row>
std::vector<Row> read_rows(Statement& statement) {
    std::vector<Row> rows;
    while (statement.step())
        rows.push_back(read_row<Row>(statement));
    return rows;
}

/// "id, job, …" of a row type.
template <class Row>
std::string column_names() {
    Names names;
    const Row row{};
    visit_columns(row, names);
    return names.names;
}

/// verb: "INSERT" or "INSERT OR REPLACE".
template <class Row>
void insert_row(Database& database, const std::string& verb, const std::string& table,
                const Row& row) {
    Names names;
    visit_columns(row, names);
    Statement statement(database, verb + " INTO " + table + "(" + names.names + ") VALUES(" +
                                      names.parameters + ")");
    visit_columns(row, Bind{statement});
    statement.run();
}

} // namespace bkhost::internal
