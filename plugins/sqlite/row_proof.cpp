// A scan of every table in the order in which it is stored.
#include "row_proof.hpp"

#include "row_digest.hpp"
#include "schema.hpp"

namespace sqlite_driver {
namespace {

constexpr uint64_t kRowsBetweenPolls = 4096;

/// NOT INDEXED: the table itself is read, not an index that happens to hold every column.
std::string scan_of(const Table& table) {
    return "SELECT " + column_list(table) + " FROM main." + quote_name(table.name) + " NOT INDEXED";
}

void prove_table(Snapshot& snapshot, const Cancel& cancel, const Table& table, bk::Sink& sink) {
    RowDigest digest;
    Statement scan = snapshot.rows().prepare(scan_of(table));
    while (scan.step()) {
        digest.add(scan.get());
        if (digest.rows() % kRowsBetweenPolls != 0) continue;
        cancel.check();
        snapshot.check();
    }
    snapshot.check(); // an expired lock may have ended the transaction between two rows
    sink.proof("main", table.name, digest.rows(), digest.digest());
}

} // namespace

void prove_rows(Snapshot& snapshot, const Cancel& cancel, bk::Sink sink) {
    try {
        for (const Table& table : read_tables(snapshot.rows())) {
            cancel.check();
            prove_table(snapshot, cancel, table, sink);
        }
    } catch (const bk::Error&) {
        snapshot.check(); // an interrupted scan says less than why it was interrupted
        throw;
    }
}

} // namespace sqlite_driver
