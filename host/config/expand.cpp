// One pass over a text; nothing that was put in is read again.
#include "host/config/expand.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name(std::string_view text) {
    if (text.empty() || !starts_name(text[0])) return false;
    for (char c : text)
        if (!starts_name(c) && !(c >= '0' && c <= '9')) return false;
    return true;
}

// The text is not quoted in these messages: it may be part of a password.
[[noreturn]] void not_a_form() {
    throw bk::Error(BK_E_CONFIG, "a '$' starts neither ${NAME}, ${NAME:-default} nor $$",
                    "write $$ for a dollar sign");
}

/// What "${inside}" stands for.
std::string value_of(std::string_view inside, const Environment& environment) {
    const size_t colon = inside.find(":-");
    const bool has_default = colon != std::string_view::npos;
    const std::string name(inside.substr(0, colon));
    if (!is_name(name)) not_a_form();
    std::optional<std::string> value = environment.get(name);
    if (has_default && (!value || value->empty())) return std::string(inside.substr(colon + 2));
    if (value) return *value;
    throw bk::Error(BK_E_CONFIG, "the environment variable '" + name + "' is not set",
                    "set it, or give a default: ${" + name + ":-value}");
}

} // namespace

Expanded expand(std::string_view text, const Environment& environment) {
    Expanded result;
    while (!text.empty()) {
        const size_t dollar = std::min(text.find('$'), text.size());
        result.text += text.substr(0, dollar);
        text.remove_prefix(dollar);
        if (text.empty()) break;
        const char next = text.size() > 1 ? text[1] : '\0';
        if (next == '{') {
            const size_t end = text.find('}');
            if (end == std::string_view::npos) not_a_form();
            result.text += value_of(text.substr(2, end - 2), environment);
            result.from_environment = true;
            text.remove_prefix(end + 1);
        } else if (starts_name(next)) {
            not_a_form();
        } else {
            result.text += '$';
            text.remove_prefix(next == '$' ? 2 : 1);
        }
    }
    return result;
}

} // namespace bkhost
