// The host's Log: messages for people on standard error.
#pragma once

#include "core/base/log.hpp"
#include "host/render/screen.hpp"

#include <string>

namespace bkhost {

enum class Verbosity {
    quiet,  ///< -q: warnings and errors
    normal, ///< information too
    verbose ///< -v: all
};

/// One message as it is written: "warning: ", "error: " or "debug: " before it (nothing before
/// information), control characters escaped, later lines indented. Pure.
[[nodiscard]] std::string format_log_line(LogLevel level, std::string_view text, bool colours);

/// Thread-safe. Leaves the progress line of the same screen below what it writes.
class TerminalLog final : public Log {
public:
    /// `screen` must outlive the log.
    TerminalLog(Screen& screen, Verbosity verbosity) : screen_(screen), verbosity_(verbosity) {}
    void write(LogLevel level, std::string_view text) override;

private:
    Screen& screen_;
    const Verbosity verbosity_;
};

} // namespace bkhost
