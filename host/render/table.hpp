// Tables and blocks of fields as text, for `list`, `show` and their like. Every value is escaped,
// so that a name cannot steer the terminal.
#pragma once

#include "host/render/terminal_text.hpp"

#include <string>
#include <vector>

namespace bkhost {

enum class Align { left, right };

struct Column {
    std::string header;
    Align align = Align::left;
};

/// Columns two spaces apart, as wide as their widest cell. Confined.
class Table {
public:
    explicit Table(std::vector<Column> columns);
    /// Missing cells are empty. Throws INTERNAL when there are more cells than columns.
    void add(std::vector<std::string> cells);
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
    /// Header and rows, each ending in a line feed, without spaces at the end.
    [[nodiscard]] std::string text() const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_; ///< escaped
};

/// An empty name continues the field above.
struct Field {
    std::string name, value;
};

/// "name:   value" a line, the values aligned, each line ending in a line feed.
[[nodiscard]] std::string format_fields(const std::vector<Field>& fields);

} // namespace bkhost
