#include "host/render/terminal_log.hpp"

#include "host/render/terminal_text.hpp"

namespace bkhost {
namespace {

struct Prefix {
    std::string_view word, colour;
};

Prefix prefix_of(LogLevel level) {
    switch (level) {
    case LogLevel::debug: return {"debug:", "\x1b[2m"};
    case LogLevel::info: return {};
    case LogLevel::warn: return {"warning:", "\x1b[33m"};
    case LogLevel::error: return {"error:", "\x1b[31m"};
    }
    return {};
}

LogLevel least_shown(Verbosity verbosity) {
    switch (verbosity) {
    case Verbosity::quiet: return LogLevel::warn;
    case Verbosity::normal: return LogLevel::info;
    case Verbosity::verbose: break;
    }
    return LogLevel::debug;
}

} // namespace

std::string format_log_line(LogLevel level, std::string_view text, bool colours) {
    const Prefix prefix = prefix_of(level);
    std::string line;
    if (!prefix.word.empty()) {
        if (colours) line += prefix.colour;
        line += prefix.word;
        if (colours) line += "\x1b[0m";
        line += ' ';
    }
    return line + escape_lines(text);
}

void TerminalLog::write(LogLevel level, std::string_view text) {
    if (level < least_shown(verbosity_)) return;
    screen_.write_line(format_log_line(level, text, screen_.has_colours()));
}

} // namespace bkhost
