// One pass over the columns of a row, without copies.
#include "row_digest.hpp"

#include <bkhost/rowsum.h>

#include <bit>

#include <sqlite3.h>

namespace sqlite_driver {
namespace {

void add_number(bk_rowsum_row& row, char letter, uint64_t bits) {
    std::array<uint8_t, 9> text{static_cast<uint8_t>(letter)};
    for (size_t i = 0; i < 8; ++i)
        text[1 + i] = static_cast<uint8_t>(bits >> (56 - 8 * i));
    bk_rowsum_row_value(&row, text.data(), text.size());
}

void add_bytes(bk_rowsum_row& row, char letter, const void* data, int size) {
    bk_rowsum_row_size(&row, 1 + static_cast<uint64_t>(size));
    bk_rowsum_row_bytes(&row, &letter, 1);
    bk_rowsum_row_bytes(&row, data, static_cast<size_t>(size));
}

void add_value(bk_rowsum_row& row, sqlite3_stmt* statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return add_number(row, 'i', static_cast<uint64_t>(sqlite3_column_int64(statement, column)));
    case SQLITE_FLOAT:
        return add_number(row, 'r',
                          std::bit_cast<uint64_t>(sqlite3_column_double(statement, column)));
    case SQLITE_TEXT: {
        const void* text = sqlite3_column_text(statement, column);
        return add_bytes(row, 't', text, sqlite3_column_bytes(statement, column));
    }
    case SQLITE_BLOB: {
        const void* blob = sqlite3_column_blob(statement, column);
        return add_bytes(row, 'b', blob, sqlite3_column_bytes(statement, column));
    }
    default: return bk_rowsum_row_null(&row);
    }
}

} // namespace

struct RowDigest::State {
    bk_rowsum sum{};
    bk_rowsum_row row;
};

RowDigest::RowDigest() : state_(std::make_unique<State>()) {}
RowDigest::~RowDigest() = default;

void RowDigest::add(sqlite3_stmt* row, int first) {
    bk_rowsum_row_begin(&state_->row);
    for (int column = first, count = sqlite3_column_count(row); column < count; ++column)
        add_value(state_->row, row, column);
    bk_rowsum_row_end(&state_->row, &state_->sum);
}

uint64_t RowDigest::rows() const noexcept { return state_->sum.rows; }
std::array<uint64_t, 2> RowDigest::digest() const noexcept {
    return {state_->sum.sum[0], state_->sum.sum[1]};
}
void RowDigest::clear() noexcept { state_->sum = {}; }

} // namespace sqlite_driver
