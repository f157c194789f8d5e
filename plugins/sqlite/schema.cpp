// Asks the PRAGMA functions of https://www.sqlite.org/pragma.html (table_list, table_xinfo).
#include "schema.hpp"

#include <algorithm>

namespace sqlite_driver {

std::vector<std::string> Table::key() const {
    std::vector<Column> parts;
    std::ranges::copy_if(columns, std::back_inserter(parts),
                         [](const Column& column) { return column.key_part > 0; });
    std::ranges::sort(parts, {}, &Column::key_part);
    std::vector<std::string> names;
    for (const Column& part : parts)
        names.push_back(part.name);
    return names;
}

std::vector<Table> read_tables(Connection& connection) {
    std::vector<std::string> names;
    Statement list = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type='table' AND rootpage>0 "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name COLLATE BINARY");
    while (list.step())
        names.emplace_back(list.text(0));
    std::vector<Table> tables;
    for (const std::string& name : names)
        tables.push_back(read_table(connection, name));
    return tables;
}

Table read_table(Connection& connection, const std::string& name) {
    Table table{.name = name, .without_rowid = false, .columns = {}};
    Statement kind = connection.prepare("SELECT wr FROM pragma_table_list(" + quote_text(name) +
                                        ") WHERE schema='main'");
    table.without_rowid = kind.step() && kind.number(0) != 0;
    Statement list =
        connection.prepare("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(" +
                           quote_text(name) + ") WHERE hidden=0 ORDER BY cid");
    while (list.step())
        table.columns.push_back({.name = std::string(list.text(0)),
                                 .type = std::string(list.text(1)),
                                 .nullable = list.number(2) == 0,
                                 .key_part = list.number(3)});
    return table;
}

std::vector<ForeignKey> read_foreign_keys(Connection& connection, const std::string& table) {
    std::vector<ForeignKey> keys;
    Statement list = connection.prepare(
        "SELECT id, seq, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(" +
        quote_text(table) + ") ORDER BY id, seq");
    while (list.step()) {
        if (list.number(1) == 0) keys.push_back({std::string(list.text(2)), {}, {}});
        keys.back().columns.emplace_back(list.text(3));
        if (!list.is_null(4)) keys.back().referenced.emplace_back(list.text(4));
    }
    return keys;
}

std::string column_list(const Table& table) {
    std::string list;
    for (const Column& column : table.columns)
        list += (list.empty() ? "" : ",") + quote_name(column.name);
    return list;
}

} // namespace sqlite_driver
