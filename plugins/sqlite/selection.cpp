// The request's members that choose (dumper.h, dump_begin).
#include "selection.hpp"

#include <bkhost/error.hpp>

#include <nlohmann/json.hpp>

namespace sqlite_driver {
namespace {

using Json = nlohmann::json;

std::set<std::string> names(const Json& request, const char* key) {
    return request.contains(key) ? request[key].get<std::set<std::string>>()
                                 : std::set<std::string>{};
}

Projection projection(const Json& table) {
    Projection result;
    if (table.contains("columns")) table["columns"].get_to(result.columns);
    result.where = table.value("where", "");
    return result;
}

} // namespace

Selection parse_selection(const std::string& text) {
    try {
        const Json request = Json::parse(text);
        Selection selection{.include = names(request, "include"),
                            .exclude = names(request, "exclude"),
                            .tables = {}};
        const std::string what = request.value("what", "all");
        if (what != "all" && what != "schema" && what != "data")
            throw bk::Error(BK_E_INVALID,
                            "the request asks for '" + what + "', not all, schema or data");
        selection.schema = what != "data";
        selection.data = what != "schema";
        const Json tables = request.value("tables", Json::object());
        for (const auto& [name, table] : tables.items())
            selection.tables[name] = projection(table);
        return selection;
    } catch (const Json::exception& error) {
        throw bk::Error(BK_E_INVALID, std::string("the request cannot be read: ") + error.what());
    }
}

} // namespace sqlite_driver
