// Removes what an archive left on a storage: manifest first, then the rest.
#pragma once

#include "core/driver/storage.hpp"

#include <string>

namespace bkhost {

/// Every object under `prefix` and every unfinished upload there. Afterwards no part of the archive
/// is left; a second call finds nothing to do. Throws what the storage throws, and INVALID for a
/// prefix that does not end in a backup's id and "/": a slip must not cost other archives.
void remove_archive(Storage& storage, const std::string& prefix);

} // namespace bkhost
