// Asks the PRAGMA functions of https://www.sqlite.org/pragma.html (table_list, table_xinfo).
#include "schema.hpp"

#include <algorithm>

#include <sqlite3.h>

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
    for (const Column& column : table.columns) {
        if (!list.empty()) list += ',';
        list += quote_name(column.name);
    }
    return list;
}

std::vector<Object> read_objects(Connection& connection) {
    std::vector<Object> objects;
    Statement list = connection.prepare(
        "SELECT type, name, tbl_name, sql, type='table' AND rootpage=0 FROM sqlite_schema WHERE "
        "sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid");
    while (list.step())
        objects.push_back({std::string(list.text(0)), std::string(list.text(1)),
                           std::string(list.text(2)), std::string(list.text(3)),
                           list.number(4) != 0});
    return objects;
}

std::map<std::string, std::string> read_shadows(Connection& connection) {
    std::map<std::string, std::string> owners;
    Statement list = connection.prepare(
        "SELECT s.name, v.name FROM pragma_table_list s JOIN pragma_table_list v "
        "ON s.name LIKE replace(replace(replace(v.name,'\\','\\\\'),'%','\\%'),'_','\\_')||'\\_%' "
        "ESCAPE '\\' WHERE s.schema='main' AND v.schema='main' AND s.type='shadow' "
        "AND v.type='virtual' ORDER BY length(v.name)");
    while (list.step())
        owners[std::string(list.text(0))] = list.text(1); // the longest name comes last
    return owners;
}

std::string rowid_name(Connection& connection, const Table& table) {
    if (table.without_rowid) return "";
    const bool key_is_index = connection.number("SELECT count(*) FROM pragma_index_list(" +
                                                quote_text(table.name) + ") WHERE origin='pk'") > 0;
    if (!table.key().empty() && !key_is_index) return "";
    for (const char* name : {"rowid", "_rowid_", "oid"}) {
        const auto taken = [&](const Column& c) {
            return sqlite3_stricmp(c.name.c_str(), name) == 0;
        };
        if (std::ranges::none_of(table.columns, taken)) return name;
    }
    return "";
}

bool is_autoincrement(Connection& connection, const Table& table) {
    const std::vector<std::string> key = table.key();
    int autoincrement = 0;
    return key.size() == 1 &&
           sqlite3_table_column_metadata(connection.get(), "main", table.name.c_str(),
                                         key.front().c_str(), nullptr, nullptr, nullptr, nullptr,
                                         &autoincrement) == SQLITE_OK &&
           autoincrement != 0;
}

bool has_table(Connection& connection, const std::string& name) {
    return connection.number("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name=" +
                             quote_text(name) + " COLLATE NOCASE") > 0;
}

} // namespace sqlite_driver
