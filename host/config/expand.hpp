// ${NAME} in one text. Knows no YAML.
#pragma once

#include "host/config/environment.hpp"

#include <string>
#include <string_view>

namespace bkhost {

struct Expanded {
    std::string text;
    bool from_environment = false; ///< something was put in
};

/// ${NAME}, ${NAME:-default} (also for an empty variable) and $$. What is put in is not looked at
/// again. Throws CONFIG without a place, which the caller adds: an unset variable, named in the
/// message, or a '$' before a letter, '_' or '{' that starts none of the three forms.
[[nodiscard]] Expanded expand(std::string_view text, const Environment& environment);

} // namespace bkhost
