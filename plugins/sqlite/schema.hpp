// The tables of the database "main" as the dump and its readers need them.
#pragma once

#include "database.hpp"

#include <map>
#include <string>
#include <vector>

namespace sqlite_driver {

struct Column {
    std::string name, type;
    bool nullable = true;
    int64_t key_part = 0; ///< position in the primary key, from 1; 0: not in it
};

struct ForeignKey {
    std::string table;
    std::vector<std::string> columns, referenced; ///< `referenced` empty: its primary key
};

struct Table {
    std::string name;
    bool without_rowid = false;
    std::vector<Column> columns; ///< stored ones: generated columns are left out

    /// In the order of the key.
    [[nodiscard]] std::vector<std::string> key() const;
};

/// Ordinary tables, also those behind virtual ones, in the order of their names; neither virtual
/// tables nor SQLite's own (sqlite_...).
[[nodiscard]] std::vector<Table> read_tables(Connection& connection);
[[nodiscard]] Table read_table(Connection& connection, const std::string& name);
[[nodiscard]] std::vector<ForeignKey> read_foreign_keys(Connection& connection,
                                                        const std::string& table);

/// A table, view, index or trigger with SQL of its own.
struct Object {
    std::string type, name, table, sql;
    bool is_virtual = false; ///< a virtual table
};
/// In the order in which they were made; none of SQLite's own.
[[nodiscard]] std::vector<Object> read_objects(Connection& connection);
/// Tables that a virtual table keeps its data in, and that one: they come and go with it.
[[nodiscard]] std::map<std::string, std::string> read_shadows(Connection& connection);
/// The name under which the rowid can be asked for, or "" when it need not be kept apart: there is
/// none, it is a column, or every name is taken.
[[nodiscard]] std::string rowid_name(Connection& connection, const Table& table);
[[nodiscard]] bool is_autoincrement(Connection& connection, const Table& table);
/// Whether the database has a table of that name, by SQLite's rules (case does not count).
[[nodiscard]] bool has_table(Connection& connection, const std::string& name);

/// `"a","b"`: the stored columns, quoted.
[[nodiscard]] std::string column_list(const Table& table);

} // namespace sqlite_driver
