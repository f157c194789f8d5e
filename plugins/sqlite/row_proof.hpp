// Unit 1 of a page image: counts and hashes the rows of each table of the same state, so that a
// restored copy can be compared row by row, which page bytes alone do not allow.
#pragma once

#include "snapshot.hpp"

#include <bkhost/dumper.hpp>

namespace sqlite_driver {

void prove_rows(Snapshot& snapshot, const Cancel& cancel, bk::Sink sink);

} // namespace sqlite_driver
