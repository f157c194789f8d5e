// Tables as JSON.
#include "inspect.hpp"

#include "schema.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>

namespace sqlite_driver {
namespace {

using Json = nlohmann::ordered_json;

/// sqlite_stat1 tells the rows of an index first; those of a partial one are fewer.
Json estimate(Connection& connection, const std::string& table) {
    Statement list = connection.prepare("SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 "
                                        "WHERE tbl=" +
                                        quote_text(table));
    return list.step() && !list.is_null(0) ? Json(list.number(0)) : Json(nullptr);
}

Json describe(const Column& column) {
    return {{"name", column.name}, {"type", column.type}, {"nullable", column.nullable}};
}

Json describe(const ForeignKey& key) {
    return {{"columns", key.columns}, {"table", key.table}, {"references", key.referenced}};
}

template <class List>
Json describe_all(const List& list) {
    Json all = Json::array();
    for (const auto& one : list)
        all.push_back(describe(one));
    return all;
}

} // namespace

std::string inspect_schema(Connection& connection) {
    const bool analyzed =
        connection.number("SELECT count(*) FROM sqlite_schema WHERE name='sqlite_stat1'") > 0;
    Json tables = Json::array();
    for (const Table& table : read_tables(connection))
        tables.push_back(
            {{"namespace", "main"},
             {"name", table.name},
             {"rows", analyzed ? estimate(connection, table.name) : Json(nullptr)},
             {"columns", describe_all(table.columns)},
             {"key", table.key()},
             {"foreign_keys", describe_all(read_foreign_keys(connection, table.name))}});
    return Json{{"tables", tables}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace sqlite_driver
