// SQLite's values as SQL literals that give the same value, bit for bit, when they are read again.
#pragma once

#include "database.hpp"

#include <functional>
#include <string>

namespace sqlite_driver {

/// Confined.
class LiteralWriter {
public:
    /// `spill` is called while a long value is appended, so that it may empty the text.
    LiteralWriter(Connection& connection, std::function<void()> spill);

    void append(std::string& out, sqlite3_stmt* row, int column);
    /// The shortest decimal that SQLite itself reads back as `value`; where its parser is inexact,
    /// a product or quotient of exact numbers. Infinity is 1e999; there is no NaN in SQLite.
    void append_real(std::string& out, double value);

private:
    void append_text(std::string& out, sqlite3_stmt* row, int column);
    void append_hex(std::string& out, const void* data, size_t size);
    [[nodiscard]] bool reads_back(std::string_view text, double value);

    std::function<void()> spill_;
    Statement read_real_;
    enum class Encoding { utf8, utf16le, utf16be } encoding_;
};

/// `value` as a mantissa and powers of two, each exact in any decimal parser.
[[nodiscard]] std::string exact_real(double value);

} // namespace sqlite_driver
