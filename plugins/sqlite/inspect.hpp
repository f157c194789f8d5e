// The schema as the JSON that bk_dumper.inspect promises (dumper.h).
#pragma once

#include "database.hpp"

#include <string>

namespace sqlite_driver {

/// A foreign key is {"columns":[..],"table":"..","references":[..]}; "references" is empty when the
/// key points at the other table's primary key without naming it. Rows are ANALYZE's estimate.
[[nodiscard]] std::string inspect_schema(Connection& connection);

} // namespace sqlite_driver
