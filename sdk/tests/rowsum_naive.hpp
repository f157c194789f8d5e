// An independent implementation of rowsum-1, for its test.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bk_test {

__extension__ typedef unsigned __int128 Sum128;
using Row = std::vector<std::optional<std::string>>;

/// The bytes that are hashed for a row.
std::string row_bytes(const Row& row);
/// The digest of a table.
Sum128 naive_rowsum(const std::vector<Row>& rows);

} // namespace bk_test
