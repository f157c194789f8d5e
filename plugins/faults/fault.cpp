#include "fault.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace faults {
namespace {

constexpr const char* kForm =
    "write FUNCTION[@KEY]:WHEN:ACTION, for example upload_part:3:error=no_space";

/// Takes what stands before `mark` off the text; all of it when there is none.
std::string_view take(std::string_view& text, char mark) {
    const std::string_view head = text.substr(0, text.find(mark));
    text.remove_prefix(std::min(text.size(), head.size() + 1));
    return head;
}

std::string quoted(std::string_view text) {
    return std::string(1, '\'').append(text).append(1, '\'');
}

std::optional<uint64_t> number(std::string_view text) {
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, code] = std::from_chars(text.data(), end, value);
    if (code != std::errc{} || stop != end) return std::nullopt;
    return value;
}

class Parser {
public:
    Parser(std::string_view text, std::span<const Function> functions)
        : text_(text), functions_(functions) {}

    Fault parse() {
        std::string_view rest = text_;
        std::string_view target = take(rest, ':');
        const std::string_view when = take(rest, ':');
        fault_.function = take(target, '@');
        fault_.key = target;
        parse_when(when);
        parse_action(rest);
        check_function();
        return fault_;
    }

private:
    [[noreturn]] void wrong(const std::string& what, const std::string& hint = kForm) const {
        throw bk::Error(BK_E_CONFIG, "fault " + quoted(text_) + ": " + what, hint);
    }

    void parse_when(std::string_view when) {
        constexpr uint64_t kForever = std::numeric_limits<uint64_t>::max();
        const bool on = when.ends_with('+');
        std::string_view end = on ? when.substr(0, when.size() - 1) : when;
        const std::string_view begin = take(end, '-');
        const auto first = when == "*" ? 1 : number(begin);
        const auto last = when == "*" || on ? kForever : end.empty() ? first : number(end);
        if (!first || !last || *first == 0 || *last < *first)
            wrong(quoted(when) + " is no number of calls",
                  "write 3, 3-5, 3+ or * between the colons");
        fault_.first = *first;
        fault_.last = *last;
    }

    void parse_action(std::string_view text) {
        std::string_view value = take(text, ','); // leaves what follows the comma
        const std::string_view name = take(value, '=');
        struct Known {
            std::string_view name;
            Action action;
        };
        static constexpr Known kKnown[] = {
            {"error", Action::error},       {"stall", Action::stall}, {"block", Action::block},
            {"hang", Action::hang},         {"flip", Action::flip},   {"short", Action::shorten},
            {"truncate", Action::truncate}, {"drop", Action::drop},   {"throw", Action::raise},
            {"escape", Action::escape},     {"crash", Action::crash}, {"segv", Action::segv},
            {"exit", Action::exit}};
        const auto known = std::ranges::find(kKnown, name, &Known::name);
        if (known == std::end(kKnown)) wrong("there is no action " + quoted(name));
        fault_.action = known->action;
        parse_value(value);
        if (fault_.action != Action::error && !text.empty())
            wrong(quoted(text) + " goes with errors only");
        while (!text.empty())
            parse_flag(take(text, ','));
    }

    void parse_value(std::string_view value) {
        switch (fault_.action) {
        case Action::error: fault_.status = status(value); return;
        case Action::stall:
        case Action::block:
        case Action::hang: fault_.time = duration(value); return;
        case Action::exit:
            fault_.exit_status = static_cast<int>(number(value).value_or(0) & 0xff);
            return;
        default:
            if (!value.empty()) wrong("this action takes no value");
        }
    }

    void parse_flag(std::string_view flag) {
        if (flag == "retryable")
            fault_.flags |= BK_ERR_RETRYABLE;
        else if (flag == "partial")
            fault_.flags |= BK_ERR_PARTIAL;
        else if (flag == "after")
            fault_.after = true;
        else
            wrong(quoted(flag) + " is none of retryable, partial, after");
    }

    [[nodiscard]] bk_status status(std::string_view value) const {
        static constexpr std::array<std::string_view, 14> kNames = {
            "internal", "cancelled",   "config",      "invalid",  "not_found",
            "exists",   "denied",      "unavailable", "timeout",  "corrupt",
            "no_space", "unsupported", "busy",        "no_memory"}; // in the order of abi.h
        const auto name = std::ranges::find(kNames, value);
        if (name == kNames.end()) wrong(quoted(value) + " is no status");
        return BK_E_INTERNAL + static_cast<bk_status>(name - kNames.begin());
    }

    [[nodiscard]] std::chrono::milliseconds duration(std::string_view value) const {
        const bool fine = value.ends_with("ms");
        if (!value.ends_with('s')) wrong("the time needs a unit", "write 90s or 250ms");
        const auto count = number(value.substr(0, value.size() - (fine ? 2 : 1)));
        if (!count || *count > 86400000) wrong(quoted(value) + " is no time");
        return std::chrono::milliseconds(*count * (fine ? 1 : 1000));
    }

    void check_function() const {
        const auto known = std::ranges::find(functions_, fault_.function, &Function::name);
        if (known == functions_.end()) {
            std::string names;
            for (const Function& function : functions_)
                names += (names.empty() ? "" : ", ") + std::string(function.name);
            wrong("there is no function " + quoted(fault_.function), "functions are: " + names);
        }
        const unsigned needed = fault_.action == Action::flip       ? kFlip
                                : fault_.action == Action::shorten  ? kShort
                                : fault_.action == Action::truncate ? kTruncate
                                : fault_.action == Action::drop     ? kDrop
                                                                    : 0u;
        if ((known->extra & needed) != needed) wrong("this function has no such action");
    }

    const std::string_view text_;
    const std::span<const Function> functions_;
    Fault fault_;
};

} // namespace

Fault parse_fault(std::string_view text, std::span<const Function> functions) {
    return Parser(text, functions).parse();
}

} // namespace faults
