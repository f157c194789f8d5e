// Where messages for the operator go. The host decides how they look.
#pragma once

#include <string_view>

namespace bkhost {

enum class LogLevel { debug = 0, info = 1, warn = 2, error = 3 };

/// Thread-safe.
class Log {
public:
    virtual ~Log() = default;
    virtual void write(LogLevel level, std::string_view text) = 0;
    void debug(std::string_view text) { write(LogLevel::debug, text); }
    void info(std::string_view text) { write(LogLevel::info, text); }
    void warn(std::string_view text) { write(LogLevel::warn, text); }
};

/// Swallows everything.
class NullLog final : public Log {
public:
    void write(LogLevel, std::string_view) override {}
};

} // namespace bkhost
