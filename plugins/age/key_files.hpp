// Key files on disk.
#pragma once

#include "keys.hpp"

#include <string>
#include <vector>

namespace age_plugin {

/// Adds the recipients of a file. Throws CONFIG for its content, and what the system says of the
/// file: NOT_FOUND, DENIED.
void read_recipients_file(const std::string& path, std::vector<Point>& all);
/// Adds the identities of a file; CONFIG too when others than its owner may read or write it.
void read_identity_file(const std::string& path, std::vector<Identity>& all);

} // namespace age_plugin
