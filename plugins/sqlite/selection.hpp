// What of a database a request asks for: tables by name, schema or data, projections and filters.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

namespace sqlite_driver {

/// Another content for a table's rows, as SQL over its columns.
struct Projection {
    std::map<std::string, std::string> columns; ///< expression by column
    std::string where;                          ///< "": all rows
};

struct Selection {
    std::set<std::string> include; ///< empty: all
    std::set<std::string> exclude;
    bool schema = true, data = true;
    std::map<std::string, Projection> tables;

    [[nodiscard]] bool wants(const std::string& table) const {
        return (include.empty() || include.contains(table)) && !exclude.contains(table);
    }
    [[nodiscard]] bool whole() const {
        return include.empty() && exclude.empty() && tables.empty() && schema && data;
    }
};

/// From the request of dump_begin or load_begin. Throws INVALID when it is not of that form.
[[nodiscard]] Selection parse_selection(const std::string& request);

} // namespace sqlite_driver
