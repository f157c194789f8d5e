// Tables from one database into another, with everything that belongs to them.
#pragma once

#include "database.hpp"

#include <map>
#include <set>
#include <string>

namespace sqlite_driver {

using Names = std::set<std::string>; ///< of tables and views, as their database writes them

/// Copies the named tables and views into `to`, which is in a transaction and has none of them:
/// definitions, rows with their rowids, AUTOINCREMENT counters, indexes, triggers; a virtual table
/// with the tables behind it. Values go over as they are, whatever the encodings. Gives the rows of
/// each; those of a virtual table are the rows behind it.
std::map<std::string, uint64_t> copy_tables(Connection& from, Connection& to, const Names& names,
                                            const Cancel& cancel);

/// After tables came into `db`: views and triggers of theirs that need a table which is not there
/// are dropped, and the host is warned of them, and of foreign keys to such tables. Throws
/// UNSUPPORTED for a virtual table that does not work in this SQLite: which tables are behind it
/// cannot be known then. Foreign keys must be off.
void review_tables(Connection& db, const Names& names, bk::Host host);

} // namespace sqlite_driver
