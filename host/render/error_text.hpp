// What the operator sees of an error, and the exit status that it means.
#pragma once

#include <bkhost/error.hpp>

#include <string>

namespace bkhost {

/// "bkhost: MESSAGE\n  hint: HINT\n"; the second line only when there is a hint. Escaped.
[[nodiscard]] std::string format_error(const bk::Error& error);
/// {"error":{"status":"not found","message":"...","hint":"..."}}, without a line feed.
[[nodiscard]] std::string format_error_json(const bk::Error& error);

enum ExitStatus : int {
    kExitDone = 0,
    kExitFailed = 1,
    kExitUsage = 2,
    kExitPartial = 3,
    kExitDamaged = 4,
    kExitBusy = 75,
    kExitInterrupted = 130,
    kExitTerminated = 143
};

/// What the error itself does not tell.
struct ExitContext {
    bool command_line = false; ///< thrown while the command line was read
    int signal = 0;            ///< the signal that cancelled, 0 for none
};

/// CONFIG is usage, and INVALID from the command line; BUSY is busy; CANCELLED is 128 + the signal
/// (130 without one); all else is failed.
[[nodiscard]] int exit_code(const bk::Error& error, ExitContext context = {});

} // namespace bkhost
