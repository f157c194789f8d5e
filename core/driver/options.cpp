// Reading and checking option values against what a driver declares, and the bk_config over them.
// Where the texts come from (a file, a URL) is not known here.
#include "core/driver/options.hpp"

#include "core/base/secret.hpp"
#include "core/base/text.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

namespace bkhost {
namespace {

/// One checked value. The text is in a Secret whatever its type, so that all of them are wiped.
struct Value {
    Secret text;
    int64_t number = 0;
};

/// Thrown inside this file for a value that does not fit; the hint may be empty.
struct BadValue {
    std::string reason; ///< "must be an int in 1..22"
    std::string hint;
};

std::string canonical(std::string_view key) {
    std::string name(key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

bool is_secret(const OptionInfo& option) { return option.type == BK_OPT_SECRET; }

std::string type_with_article(const OptionInfo& option) {
    const std::string name = option_type_name(option.type);
    const bool vowel = std::string_view("aeiou").find(name[0]) != std::string_view::npos;
    return (vowel ? "an " : "a ") + name;
}

std::optional<int64_t> parse_number(uint32_t type, std::string_view text) {
    if (type == BK_OPT_INT) return parse_int(text);
    if (type == BK_OPT_DURATION) return parse_duration(text);
    const std::optional<uint64_t> size = parse_size(text);
    if (!size || *size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return std::nullopt;
    return static_cast<int64_t>(*size);
}

/// One side of "a..b"; an empty side has no limit.
int64_t parse_limit(const OptionInfo& option, std::string_view text, int64_t open) {
    if (text.empty()) return open;
    if (const auto limit = parse_number(option.type, text)) return *limit;
    throw bk::Error(BK_E_INTERNAL,
                    "option '" + option.key + "' is declared with the range '" + option.allowed +
                        "', which is none",
                    "report this to the author of the driver");
}

Value check_number(const OptionInfo& option, const std::string& text) {
    static constexpr std::array kExamples{"a whole number such as 3", "for example 64KiB or 8MiB",
                                          "for example 250ms, 60s, 5m or 2h"};
    const std::optional<int64_t> number = parse_number(option.type, text);
    if (!number)
        throw BadValue{"must be " + type_with_article(option),
                       kExamples[option.type == BK_OPT_INT    ? 0
                                 : option.type == BK_OPT_SIZE ? 1
                                                              : 2]};
    if (const size_t dots = option.allowed.find(".."); !option.allowed.empty()) {
        const std::string_view range = option.allowed;
        using Limits = std::numeric_limits<int64_t>;
        const int64_t low = parse_limit(option, range.substr(0, dots), Limits::min());
        const int64_t high = dots == std::string::npos
                                 ? low
                                 : parse_limit(option, range.substr(dots + 2), Limits::max());
        if (*number < low || *number > high)
            throw BadValue{"must be " + type_with_article(option) + " in " + option.allowed,
                           "see 'bkhost plugin show' for the driver's options"};
    }
    return {Secret(text), *number};
}

Value check_bool(const std::string& text) {
    std::string word = text;
    for (char& c : word)
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (word == "true" || word == "yes" || word == "on") return {Secret("true"), 1};
    if (word == "false" || word == "no" || word == "off") return {Secret("false"), 0};
    throw BadValue{"must be true or false", "write true or false"};
}

Value check_enum(const OptionInfo& option, const std::string& text) {
    const std::vector<std::string> words = split(option.allowed, '|');
    const auto found = std::find(words.begin(), words.end(), text);
    if (found != words.end()) return {Secret(text), found - words.begin()};
    const std::string meant = nearest(text, words);
    throw BadValue{"must be one of " + join(words),
                   meant.empty() ? "" : "did you mean '" + meant + "'?"};
}

Value check_path(const std::string& text) {
    if (text.empty()) throw BadValue{"must be a path", "an empty path is no path"};
    if (text[0] != '~') return {Secret(text)};
    if (text.size() > 1 && text[1] != '/')
        throw BadValue{"must be a path",
                       "only ~/ is expanded; write ./~name for a file of that name"};
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0')
        throw BadValue{"must be a path", "HOME is not set, so ~/ cannot be expanded"};
    return {Secret(home + text.substr(1))};
}

Value check_json(const std::string& text) {
    if (!nlohmann::json::accept(text))
        throw BadValue{"must be valid JSON", "for example {\"key\": \"value\"}"};
    return {Secret(text)};
}

Value check_value(const OptionInfo& option, const std::string& text) {
    if (text.find('\0') != std::string::npos) throw BadValue{"must not hold a NUL byte", ""};
    if (text.empty() && (option.flags & BK_OPT_REQUIRED) != 0)
        throw BadValue{"must not be empty", ""};
    switch (option.type) {
    case BK_OPT_STRING:
    case BK_OPT_SECRET: return {Secret(text)};
    case BK_OPT_BOOL: return check_bool(text);
    case BK_OPT_INT:
    case BK_OPT_SIZE:
    case BK_OPT_DURATION: return check_number(option, text);
    case BK_OPT_ENUM: return check_enum(option, text);
    case BK_OPT_PATH: return check_path(text);
    case BK_OPT_JSON: return check_json(text);
    default: throw BadValue{"has a type that this host does not know", "use a newer bkhost"};
    }
}

/// Collects what is wrong and, for those that fit, the values.
class Checker {
public:
    using Keys = std::set<std::string>;
    Checker(const std::vector<OptionInfo>& options, Keys confidential)
        : options_(options), confidential_(std::move(confidential)) {}

    void present(const std::string& key) { add(key, nullptr); }
    void given(const std::string& key, const std::vector<std::string>& texts) { add(key, &texts); }

    /// After all given ones: fills in defaults and reports what is missing.
    void finish() {
        for (const OptionInfo& option : options_) {
            if (seen_.count(option.key) != 0) continue;
            if (option.has_default)
                keep(option, option.key, option.default_value);
            else if ((option.flags & BK_OPT_REQUIRED) != 0)
                problems.push_back({option.key, "required option '" + option.key + "' is missing",
                                    option.help.empty() ? "" : option.key + ": " + option.help});
        }
    }

    std::vector<OptionProblem> problems;
    std::map<std::string, std::vector<Value>, std::less<>> values;

private:
    void add(const std::string& key, const std::vector<std::string>* texts) {
        const OptionInfo* option = find_option(options_, key);
        if (option == nullptr) {
            problems.push_back(unknown_option(options_, key));
            return;
        }
        if (texts != nullptr && texts->empty())
            return; // an empty list is as if nothing was written
        if (!seen_.insert(option->key).second) {
            problems.push_back({key, "option '" + option->key + "' is given twice",
                                "'-' and '_' in names are the same"});
            return;
        }
        if (texts == nullptr) return;
        if (texts->size() > 1 && (option->flags & BK_OPT_REPEATED) == 0) {
            problems.push_back(
                {key, "option '" + option->key + "' takes one value, not a list", ""});
            return;
        }
        for (const std::string& text : *texts)
            keep(*option, key, text);
    }

    void keep(const OptionInfo& option, const std::string& key, const std::string& text) {
        try {
            values[option.key].push_back(check_value(option, text));
        } catch (const BadValue& bad) {
            const bool quote = !is_secret(option) && confidential_.count(key) == 0;
            problems.push_back({key,
                                "option '" + option.key + "' " + bad.reason +
                                    (quote && !text.empty() ? ", not '" + text + "'" : ""),
                                bad.hint});
        }
    }

    const std::vector<OptionInfo>& options_;
    const Keys confidential_;
    Keys seen_;
};

} // namespace

/// The values, and the table of functions that a driver sees.
struct OptionValues::State {
    using Values = std::map<std::string, std::vector<Value>, std::less<>>;
    Values values;
    std::set<std::string> secrets;
    bk_config table{};

    explicit State(Values checked) : values(std::move(checked)) {
        table.struct_size = sizeof table;
        table.ctx = this;
        table.count = &State::count;
        table.get_str = &State::get_str;
        table.get_int = &State::get_int;
    }

    static const std::vector<Value>* find(const bk_config* config, const char* key) noexcept {
        if (key == nullptr) return nullptr;
        const auto& values = static_cast<const State*>(config->ctx)->values;
        const auto at = values.find(std::string_view(key));
        return at == values.end() ? nullptr : &at->second;
    }
    static uint32_t count(const bk_config* config, const char* key) noexcept {
        const auto* all = find(config, key);
        return all == nullptr ? 0 : static_cast<uint32_t>(all->size());
    }
    static const char* get_str(const bk_config* config, const char* key, uint32_t i) noexcept {
        const auto* all = find(config, key);
        return all == nullptr || i >= all->size() ? nullptr : (*all)[i].text.reveal().c_str();
    }
    static int64_t get_int(const bk_config* config, const char* key, uint32_t i) noexcept {
        const auto* all = find(config, key);
        return all == nullptr || i >= all->size() ? 0 : (*all)[i].number;
    }
};

const OptionInfo* find_option(const std::vector<OptionInfo>& options, std::string_view key) {
    const std::string name = canonical(key);
    for (const OptionInfo& option : options)
        if (canonical(option.key) == name) return &option;
    return nullptr;
}

OptionProblem unknown_option(const std::vector<OptionInfo>& options, const std::string& key) {
    std::vector<std::string> keys;
    for (const OptionInfo& option : options)
        keys.push_back(option.key);
    const std::string meant = nearest(canonical(key), keys);
    std::string hint = "did you mean '" + meant + "'?";
    if (meant.empty()) hint = keys.empty() ? "it takes no options" : "options are: " + join(keys);
    return {key, "unknown option '" + key + "'", hint};
}

std::vector<OptionProblem> check_options(const std::vector<OptionInfo>& options,
                                         const OptionText& text,
                                         const std::set<std::string>& unresolved,
                                         const std::set<std::string>& confidential) {
    Checker checker(options, confidential);
    for (const auto& [key, texts] : text)
        checker.given(key, texts);
    for (const std::string& key : unresolved)
        checker.present(key);
    checker.finish();
    return std::move(checker.problems);
}

OptionValues::OptionValues(const std::vector<OptionInfo>& options, const OptionText& text,
                           const std::string& object) {
    Checker checker(options, {});
    for (const auto& [key, texts] : text)
        checker.given(key, texts);
    checker.finish();
    if (!checker.problems.empty())
        throw bk::Error(BK_E_CONFIG, object + ": " + checker.problems.front().what,
                        checker.problems.front().hint);
    state_ = std::make_unique<State>(std::move(checker.values));
    for (const OptionInfo& option : options)
        if (is_secret(option)) state_->secrets.insert(option.key);
}

OptionValues::~OptionValues() = default;
OptionValues::OptionValues(OptionValues&&) noexcept = default;

const bk_config* OptionValues::config() const noexcept { return &state_->table; }

OptionText OptionValues::public_text() const {
    OptionText all;
    for (const auto& [key, values] : state_->values) {
        if (state_->secrets.count(key) != 0) continue;
        for (const Value& value : values)
            all[key].push_back(value.text.reveal());
    }
    return all;
}

std::string describe(const OptionInfo& option) {
    std::string text = option_type_name(option.type);
    if ((option.flags & BK_OPT_REPEATED) != 0) text = "list of " + text;
    if (!option.allowed.empty()) text += ", " + option.allowed;
    if ((option.flags & BK_OPT_REQUIRED) != 0) text += ", required";
    if (option.has_default && !is_secret(option)) text += ", default " + option.default_value;
    if ((option.flags & BK_OPT_DEPRECATED) != 0) text += ", deprecated";
    return text;
}

const char* option_type_name(uint32_t type) noexcept {
    static constexpr std::array kNames{"string", "bool", "int",    "size", "duration",
                                       "enum",   "path", "secret", "json"};
    return type < kNames.size() ? kNames[type] : "unknown";
}

} // namespace bkhost
