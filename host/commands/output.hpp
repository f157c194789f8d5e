// How results reach standard output.
#pragma once

#include <string_view>

namespace bkhost {

/// Writes all of it; throws when standard output cannot take it (a closed pipe, a full disk).
void print(std::string_view text);

} // namespace bkhost
