// Reading the one-line forms. Text only: nothing is opened, and values are checked elsewhere.
#include "core/driver/location.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace bkhost {
namespace {

constexpr const char* kNoPassword =
    "a secret on a command line is seen by everybody on the machine: use a configuration with "
    "password: {env: NAME}, {file: PATH} or {command: [...]}";

[[noreturn]] void refuse(const std::string& message, const std::string& hint = "") {
    throw bk::Error(BK_E_CONFIG, message, hint);
}

bool is_alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// The length of "scheme" when the text starts with "scheme:", else nothing.
std::optional<size_t> scheme_length(std::string_view text) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_alnum(text[0])) return std::nullopt;
    for (char c : text.substr(0, colon))
        if (!is_alnum(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
    return colon;
}

bool starts_like_path(std::string_view text) {
    return text.starts_with('/') || text.starts_with("./") || text.starts_with("../") ||
           text.starts_with('~') || text == "." || text == "..";
}

bool exists(std::string_view path) {
    std::error_code code;
    return std::filesystem::exists(std::filesystem::path(path), code);
}

std::string percent_decoded(std::string_view text) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        const auto byte = from_hex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1)
            refuse("a '%' in a location must be followed by two hex digits",
                   "write %25 for a percent sign");
        plain += static_cast<char>(byte->front());
        i += 2;
    }
    return plain;
}

/// Puts values into a spec under the names that the driver declares.
class SpecBuilder {
public:
    explicit SpecBuilder(const DriverDescription& driver) : driver_(driver) {
        spec_.driver = driver.name;
    }

    [[nodiscard]] const OptionInfo* flagged(uint32_t flag) const {
        for (const OptionInfo& option : driver_.options)
            if ((option.flags & flag) != 0) return &option;
        return nullptr;
    }

    void set_flagged(uint32_t flag, const std::string& value, const char* what) {
        const OptionInfo* option = flagged(flag);
        if (option == nullptr)
            refuse("the " + driver_.kind + " driver '" + driver_.name + "' takes no " + what +
                       " in its location",
                   option_list());
        add(*option, value);
    }

    void set_key(std::string_view key, const std::string& value) {
        const OptionInfo* option = find_option(driver_.options, key);
        if (option == nullptr) {
            const OptionProblem problem = unknown_option(driver_.options, std::string(key));
            refuse(driver_.kind + " driver '" + driver_.name + "': " + problem.what, problem.hint);
        } else if (option->type == BK_OPT_SECRET) {
            refuse(driver_.kind + " driver '" + driver_.name + "': the secret option '" +
                       option->key + "' does not go into a location",
                   kNoPassword);
        } else {
            add(*option, value);
        }
    }

    /// The `rest` of "scheme:rest".
    void set_rest(std::string_view rest) {
        if (rest.empty()) return;
        const std::string_view first = rest.substr(0, rest.find(','));
        const size_t equals = first.find('=');
        const bool pairs = equals != std::string_view::npos &&
                           find_option(driver_.options, first.substr(0, equals)) != nullptr;
        const OptionInfo* target = flagged(BK_OPT_URL_TARGET);
        if (pairs) {
            set_pairs(rest);
        } else if (target != nullptr && (target->flags & BK_OPT_REPEATED) != 0) {
            for (const std::string& item : split(rest, ','))
                set_target(item);
        } else {
            set_target(std::string(rest));
        }
    }

    void set_target(const std::string& value) {
        const OptionInfo* target = flagged(BK_OPT_URL_TARGET);
        if (target != nullptr && target->type == BK_OPT_SECRET)
            refuse("the secret option '" + target->key + "' of the " + driver_.kind + " driver '" +
                       driver_.name + "' does not go into a location",
                   kNoPassword);
        set_flagged(BK_OPT_URL_TARGET, value, "value");
    }

    [[nodiscard]] DriverSpec take() { return std::move(spec_); }

private:
    void set_pairs(std::string_view rest) {
        for (const std::string& pair : split(rest, ',')) {
            const size_t equals = pair.find('=');
            if (equals == std::string::npos)
                refuse("what follows '" + driver_.name + ":' mixes key=value with other items",
                       "write key=value,key=value");
            set_key(std::string_view(pair).substr(0, equals), pair.substr(equals + 1));
        }
    }

    void add(const OptionInfo& option, const std::string& value) {
        std::vector<std::string>& values = spec_.options[option.key];
        if (!values.empty() && (option.flags & BK_OPT_REPEATED) == 0)
            refuse("option '" + option.key + "' of the " + driver_.kind + " driver '" +
                   driver_.name + "' is given twice");
        values.push_back(value);
    }

    [[nodiscard]] std::string option_list() const {
        std::vector<std::string> keys;
        for (const OptionInfo& option : driver_.options)
            keys.push_back(option.key);
        return keys.empty() ? "it takes no options" : "options are: " + join(keys);
    }

    const DriverDescription& driver_;
    DriverSpec spec_;
};

[[noreturn]] void unknown_scheme(Registry& registry, std::string_view kind,
                                 std::string_view scheme) {
    std::vector<std::string> known;
    std::vector<std::string> candidates;
    for (const std::string& name : registry.names(kind)) {
        const DriverDescription& driver = registry.describe(kind, name);
        candidates.push_back(name);
        candidates.insert(candidates.end(), driver.schemes.begin(), driver.schemes.end());
        const bool same = driver.schemes == std::vector<std::string>{name};
        known.push_back(driver.schemes.empty() || same ? name
                                                       : name + " (" + join(driver.schemes) + ")");
    }
    const std::string meant = nearest(scheme, candidates);
    std::string hint = known.empty() ? "no " + std::string(kind) + " driver is installed"
                                     : "installed: " + join(known);
    if (!meant.empty()) hint = "did you mean '" + meant + "'? " + hint;
    refuse("no " + std::string(kind) + " driver takes '" + std::string(scheme) + "'", hint);
}

const DriverDescription& driver_of(Registry& registry, std::string_view kind,
                                   std::string_view scheme) {
    if (const DriverDescription* driver = registry.find_scheme(kind, scheme)) return *driver;
    const std::vector<std::string> names = registry.names(kind);
    if (std::find(names.begin(), names.end(), scheme) != names.end())
        return registry.describe(kind, scheme);
    unknown_scheme(registry, kind, scheme);
}

/// What stands between "scheme://" and the path.
struct Authority {
    std::string user, host, port;
};

Authority parse_authority(std::string_view text, const std::string& who) {
    Authority authority;
    if (const size_t at = text.rfind('@'); at != std::string_view::npos) {
        const std::string_view user = text.substr(0, at);
        if (user.find(':') != std::string_view::npos)
            refuse("the location for " + who + " holds a password", kNoPassword);
        authority.user = percent_decoded(user);
        text.remove_prefix(at + 1);
    }
    const bool bracket = text.starts_with('['); // an IPv6 address
    const size_t end = std::min(text.find(bracket ? ']' : ':'), text.size());
    if (bracket && end == text.size())
        refuse("the host in the location for " + who + " starts with '[' and has no ']'");
    authority.host = percent_decoded(bracket ? text.substr(1, end - 1) : text.substr(0, end));
    const std::string_view rest = text.substr(bracket ? end + 1 : end);
    if (rest.empty()) return authority;
    const auto port = rest[0] == ':' ? parse_int(rest.substr(1)) : std::nullopt;
    if (!port || *port < 1 || *port > 65535)
        refuse("the port in the location for " + who + " must be a number in 1..65535",
               "write scheme://host:port/path");
    authority.port = std::to_string(*port);
    return authority;
}

/// The path of a URL as the target. A driver without a host option takes "host/path" whole (a
/// bucket and a prefix); where the target is a path of this machine a host there is a slip.
void set_url_path(SpecBuilder& builder, const std::string& host, std::string_view path,
                  const std::string& who) {
    const bool network = builder.flagged(BK_OPT_ENDPOINT_HOST) != nullptr;
    const OptionInfo* target = builder.flagged(BK_OPT_URL_TARGET);
    const bool is_path = target != nullptr && target->type == BK_OPT_PATH;
    if (network && path.starts_with('/') && (!host.empty() || !is_path)) path.remove_prefix(1);
    if (!network && !host.empty() && is_path)
        refuse("the location for " + who + " names the host '" + host +
                   "', but its path is one of this machine",
               "write three slashes for an absolute path (scheme:///path), or scheme:path");
    const std::string value = (network ? "" : host) + percent_decoded(path);
    const bool root = value == "/" && !is_path; // "scheme:///" of a driver that takes no path
    if (!value.empty() && !root) builder.set_target(value);
}

/// "key=value&…" as options.
void set_query(SpecBuilder& builder, std::string_view query, const std::string& who) {
    for (const std::string& pair : split(query, '&')) {
        const size_t equals = pair.find('=');
        if (equals == std::string::npos)
            refuse("the query of the location for " + who + " is not made of key=value pairs");
        builder.set_key(percent_decoded(pair.substr(0, equals)),
                        percent_decoded(pair.substr(equals + 1)));
    }
}

DriverSpec parse_url(const DriverDescription& driver, std::string_view rest) {
    const std::string who = "the " + driver.kind + " driver '" + driver.name + "'";
    SpecBuilder builder(driver);
    const size_t question = std::min(rest.find('?'), rest.size());
    const std::string_view query = rest.substr(std::min(question + 1, rest.size()));
    rest = rest.substr(0, question);
    const size_t slash = std::min(rest.find('/'), rest.size());
    const Authority authority = parse_authority(rest.substr(0, slash), who);
    if (!authority.user.empty()) builder.set_key("user", authority.user);
    if (!authority.host.empty() && builder.flagged(BK_OPT_ENDPOINT_HOST) != nullptr)
        builder.set_flagged(BK_OPT_ENDPOINT_HOST, authority.host, "host");
    if (!authority.port.empty()) builder.set_flagged(BK_OPT_ENDPOINT_PORT, authority.port, "port");
    set_url_path(builder, authority.host, rest.substr(slash), who);
    set_query(builder, query, who);
    return builder.take();
}

DriverSpec parse_short_form(const DriverDescription& driver, std::string_view rest) {
    SpecBuilder builder(driver);
    // A name with a question mark is rarer than options behind a path: ?key=value is read as those.
    if (const size_t question = rest.find('?');
        question != std::string_view::npos && rest.find('=', question) != std::string_view::npos) {
        set_query(builder, rest.substr(question + 1),
                  "the " + driver.kind + " driver '" + driver.name + "'");
        rest = rest.substr(0, question);
    }
    if (builder.flagged(BK_OPT_ENDPOINT_HOST) != nullptr &&
        rest.find('@') != std::string_view::npos)
        refuse("the location for the " + driver.kind + " driver '" + driver.name +
                   "' holds a '@' but no '//'",
               "write scheme://user@host/path, without a password");
    builder.set_rest(rest);
    return builder.take();
}

} // namespace

DriverSpec parse_location(Registry& registry, std::string_view kind, std::string_view text) {
    if (text.empty())
        refuse("an empty text names no " + std::string(kind) + " driver",
               "write a driver's name, scheme:value or scheme://host/path");
    const bool takes_paths = kind == kDumper || kind == kStorage;
    const auto file = [&] {
        SpecBuilder builder(driver_of(registry, kind, "file"));
        builder.set_target(std::string(text));
        return builder.take();
    };
    if (takes_paths && starts_like_path(text)) return file();
    const auto length = scheme_length(text);
    if (!length) {
        const std::vector<std::string> names = registry.names(kind);
        const bool is_name = std::find(names.begin(), names.end(), text) != names.end();
        if (takes_paths && (!is_name || exists(text))) return file();
        return SpecBuilder(driver_of(registry, kind, text)).take();
    }
    const std::string_view scheme = text.substr(0, *length);
    const std::string_view rest = text.substr(*length + 1);
    const bool url = rest.starts_with("//");
    if (takes_paths && !url && registry.find_scheme(kind, scheme) == nullptr && exists(text))
        return file(); // a file whose name has a colon
    const DriverDescription& driver = driver_of(registry, kind, scheme);
    return url ? parse_url(driver, rest.substr(2)) : parse_short_form(driver, rest);
}

std::string location_text(const DriverSpec& spec, const DriverDescription& driver) {
    const auto printable = [&](uint32_t flag) -> std::string {
        for (const OptionInfo& option : driver.options) {
            if ((option.flags & flag) == 0 || option.type == BK_OPT_SECRET) continue;
            for (const auto& [key, values] : spec.options)
                if (find_option(driver.options, key) == &option) return join(values, ",");
        }
        return "";
    };
    const std::string target = printable(BK_OPT_URL_TARGET);
    const std::string host = printable(BK_OPT_ENDPOINT_HOST);
    const std::string port = printable(BK_OPT_ENDPOINT_PORT);
    std::string text = spec.driver;
    if (!target.empty()) text += ":" + target;
    if (!host.empty()) text += " on " + host + (port.empty() ? "" : ":" + port);
    return text;
}

} // namespace bkhost
