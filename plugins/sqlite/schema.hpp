// The tables of the database "main" as the dump and its readers need them.
#pragma once

#include "database.hpp"

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

/// `"a","b"`: the stored columns, quoted.
[[nodiscard]] std::string column_list(const Table& table);

} // namespace sqlite_driver
