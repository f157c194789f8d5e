// Finds and removes what crashed uploads left: temporary files that nobody holds a lock on.
#pragma once

#include "tree.hpp"

#include <cstdint>
#include <string>

namespace local {

/// Removes those whose final key begins with `prefix` and that were last written to at least
/// `min_age_ms` ago, and the directories that are empty then. Gives their number. Throws when a
/// directory cannot be read.
[[nodiscard]] uint64_t remove_stale(const Tree& tree, const std::string& prefix, int64_t min_age_ms,
                                    const InterruptMark& mark);

} // namespace local
