// Tables out of a page image that lies in an archive.
#pragma once

#include "restore_target.hpp"

#include <bkhost/extract.hpp>

namespace sqlite_driver {

/// Tables and views, without those behind virtual tables.
void list_tables(bk::RandomSource image, const bk::Emit& name, const Cancel& cancel);

/// Brings the tables of `options` into the target, which may be there; see extract.h.
void extract_tables(bk::RandomSource image, const RestoreOptions& options, const bk::Emit& table,
                    bk::Host host, const Cancel& cancel);

} // namespace sqlite_driver
