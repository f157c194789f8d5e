// Numbers, texts and blobs as literals; see
// https://www.sqlite.org/lang_expr.html#literal_values_constants_
#include "sql_literal.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <sqlite3.h>

namespace sqlite_driver {
namespace {

constexpr size_t kHexRun = 1U << 16U;
constexpr double kExactIntegers = 9007199254740992.0; // 2^53

std::string shortest(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    std::string out(text.data(), end);
    if (out.find_first_of(".e") == std::string::npos) out += ".0";
    return out;
}

void append_integer(std::string& out, int64_t value) {
    std::array<char, 24> text{};
    out.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

} // namespace

std::string exact_real(double value) {
    constexpr int step = 32;
    constexpr const char* power = "4294967296.0"; // 2^32
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    auto mantissa = static_cast<int64_t>(std::ldexp(fraction, 53));
    exponent -= 53;
    while (mantissa % 2 == 0 &&
           mantissa != 0) { // fewer bits, so that no step goes below the subnormals
        mantissa /= 2;
        ++exponent;
    }
    std::string out = "(";
    out += std::to_string(mantissa) + ".0";
    const char sign = exponent < 0 ? '/' : '*';
    for (exponent = std::abs(exponent); exponent >= step; exponent -= step)
        (out += sign) += power;
    if (exponent > 0) (out += sign) += std::to_string(uint64_t{1} << exponent) + ".0";
    return out + ")";
}

LiteralWriter::LiteralWriter(Connection& connection, std::function<void()> spill)
    : spill_(std::move(spill)), read_real_(connection.prepare("SELECT CAST(?1 AS REAL)")) {
    const std::string encoding = connection.text("PRAGMA encoding");
    encoding_ = encoding == "UTF-16le"   ? Encoding::utf16le
                : encoding == "UTF-16be" ? Encoding::utf16be
                                         : Encoding::utf8;
}

void LiteralWriter::append(std::string& out, sqlite3_stmt* row, int column) {
    switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER: return append_integer(out, sqlite3_column_int64(row, column));
    case SQLITE_FLOAT: return append_real(out, sqlite3_column_double(row, column));
    case SQLITE_TEXT: return append_text(out, row, column);
    case SQLITE_BLOB: {
        const void* blob = sqlite3_column_blob(row, column);
        return append_hex(out, blob, static_cast<size_t>(sqlite3_column_bytes(row, column)));
    }
    default: out += "NULL";
    }
}

void LiteralWriter::append_real(std::string& out, double value) {
    if (std::isinf(value)) {
        out += value < 0 ? "-1e999" : "1e999";
        return;
    }
    const std::string text = shortest(value);
    const bool small_integer = std::abs(value) < kExactIntegers && value == std::trunc(value);
    out += small_integer || reads_back(text, value) ? text : exact_real(value);
}

bool LiteralWriter::reads_back(std::string_view text, double value) {
    sqlite3_stmt* read = read_real_.get();
    sqlite3_bind_text(read, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    const bool same =
        read_real_.step() &&
        std::bit_cast<uint64_t>(sqlite3_column_double(read, 0)) == std::bit_cast<uint64_t>(value);
    read_real_.reset();
    return same;
}

/// A literal ends at a NUL byte; such a text is cast from a blob, which must be in the encoding of
/// the database (https://www.sqlite.org/lang_expr.html#castexpr).
void LiteralWriter::append_text(std::string& out, sqlite3_stmt* row, int column) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
    const auto size = static_cast<size_t>(sqlite3_column_bytes(row, column));
    if (std::memchr(text, 0, size) == nullptr) {
        out += '\'';
        for (std::string_view rest(text, size); !rest.empty();) {
            const size_t part = std::min(rest.find('\''), std::min(rest.size(), kHexRun));
            out += rest.substr(0, part);
            rest.remove_prefix(part);
            if (!rest.empty() && rest[0] == '\'') {
                out += "''";
                rest.remove_prefix(1);
            }
            spill_();
        }
        out += '\'';
        return;
    }
    out += "CAST(";
    if (encoding_ == Encoding::utf8) {
        append_hex(out, text, size);
    } else {
        const auto* wide = static_cast<const char*>(sqlite3_column_text16(row, column));
        std::string bytes(wide, static_cast<size_t>(sqlite3_column_bytes16(row, column)));
        const bool little = std::endian::native == std::endian::little;
        if (little != (encoding_ == Encoding::utf16le))
            for (size_t i = 0; i + 1 < bytes.size(); i += 2)
                std::swap(bytes[i], bytes[i + 1]);
        append_hex(out, bytes.data(), bytes.size());
    }
    out += " AS TEXT)";
}

void LiteralWriter::append_hex(std::string& out, const void* data, size_t size) {
    constexpr const char* digits = "0123456789abcdef";
    const auto* bytes = static_cast<const uint8_t*>(data);
    out += "x'";
    for (size_t done = 0; done < size;) {
        const size_t end = std::min(size, done + kHexRun);
        for (; done < end; ++done) {
            out += digits[bytes[done] >> 4U];
            out += digits[bytes[done] & 15U];
        }
        spill_();
    }
    out += '\'';
}

} // namespace sqlite_driver
