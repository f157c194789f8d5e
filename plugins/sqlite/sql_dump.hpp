// The format "sql": one unit that writes a script which `sqlite3 new.db < script` takes, and which
// ends in COMMIT only when every row was read without an error.
#pragma once

#include "selection.hpp"
#include "snapshot.hpp"

#include <bkhost/dumper.hpp>

namespace sqlite_driver {

struct SqlDumpOptions {
    bool preserve_rowids = false;
};

/// Throws NOT_FOUND when the selection names a table or column that does not exist.
void check_selection(Connection& connection, const Selection& selection);

void dump_sql(Snapshot& snapshot, const Selection& selection, const SqlDumpOptions& options,
              const Cancel& cancel, bk::Sink sink);

} // namespace sqlite_driver
