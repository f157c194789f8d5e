// The command line: verbs, options and their help. What a verb does is host/commands'.
#pragma once

#include "host/commands/session.hpp"

#include <functional>
#include <optional>

namespace bkhost {

/// What was asked for.
struct Invocation {
    GlobalOptions globals;
    std::function<int(Session&)> run;
};

/// Nothing when all is said already (--help, --version, wrong use): `status` is the exit status
/// then.
[[nodiscard]] std::optional<Invocation> parse_command_line(int argc, char** argv, int& status);

} // namespace bkhost
