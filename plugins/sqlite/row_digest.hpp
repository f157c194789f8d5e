// The digest of rows as rowsum-1 defines it, over SQLite's values. The text of a value is one
// letter for its storage class and its bytes:
//   'i' and 8 bytes, big-endian two's complement; 'r' and 8 bytes, big-endian IEEE 754;
//   't' and UTF-8; 'b' and the bytes. NULL is rowsum's NULL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

struct sqlite3_stmt;

namespace sqlite_driver {

/// Confined.
class RowDigest {
public:
    RowDigest();
    ~RowDigest();
    RowDigest(const RowDigest&) = delete;
    RowDigest& operator=(const RowDigest&) = delete;

    /// Adds columns first, first + 1 ... of the row where the statement stands.
    void add(sqlite3_stmt* row, int first = 0);
    [[nodiscard]] uint64_t rows() const noexcept;
    [[nodiscard]] std::array<uint64_t, 2> digest() const noexcept; ///< low, high
    void clear() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace sqlite_driver
