#include "host/render/table.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <utility>

namespace bkhost {
namespace {
constexpr size_t kGap = 2;

void append_cell(std::string& line, const std::string& text, size_t width, Align align) {
    const std::string padding(width - display_width(text), ' ');
    line += align == Align::right ? padding + text : text + padding;
}

void end_line(std::string& line) {
    line.erase(line.find_last_not_of(' ') + 1);
    line += '\n';
}
} // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
    for (Column& column : columns_)
        column.header = escape_terminal(column.header);
}

void Table::add(std::vector<std::string> cells) {
    if (cells.size() > columns_.size())
        throw bk::Error(BK_E_INTERNAL, "a table of " + std::to_string(columns_.size()) +
                                           " columns was given " + std::to_string(cells.size()) +
                                           " cells");
    for (std::string& cell : cells)
        cell = escape_terminal(cell);
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::string Table::text() const {
    std::vector<std::string> headers;
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns_.size(); ++i) {
        headers.push_back(columns_[i].header);
        widths.push_back(display_width(headers[i]));
        for (const auto& row : rows_)
            widths[i] = std::max(widths[i], display_width(row[i]));
    }
    std::string out;
    const auto append_row = [&](const std::vector<std::string>& cells) {
        std::string line;
        for (size_t i = 0; i < cells.size(); ++i) {
            if (i > 0) line.append(kGap, ' ');
            append_cell(line, cells[i], widths[i], columns_[i].align);
        }
        end_line(line);
        out += line;
    };
    append_row(headers);
    for (const auto& row : rows_)
        append_row(row);
    return out;
}

std::string format_fields(const std::vector<Field>& fields) {
    size_t widest = 0;
    for (const Field& field : fields)
        widest = std::max(widest, display_width(escape_terminal(field.name)));
    std::string out;
    for (const Field& field : fields) {
        std::string line;
        const std::string name = escape_terminal(field.name);
        append_cell(line, name.empty() ? name : name + ":", widest + 1, Align::left);
        line.append(kGap, ' ');
        line += escape_terminal(field.value);
        end_line(line);
        out += line;
    }
    return out;
}

} // namespace bkhost
