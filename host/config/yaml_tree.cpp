// Builds the tree from yaml-cpp's events, which give lines, styles and tags, and which let the
// limits hold while the text is read. Messages of yaml-cpp are cut where they begin to quote the
// file.
#include "host/config/yaml_tree.hpp"

#include "host/config/expand.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

namespace bkhost {
namespace {

using Type = ConfigValue::Type;

[[noreturn]] void refuse(const std::string& name, int line, const std::string& what,
                         const std::string& hint = "") {
    throw bk::Error(BK_E_CONFIG, name + ":" + std::to_string(line) + ": " + what, hint);
}

/// How many bytes the UTF-8 character at the start has; 0 when there is none. Surrogates and
/// overlong forms are left to yaml-cpp: this only tells text from something else.
size_t character_length(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const size_t length = first < 0x80   ? 1
                          : first < 0xc2 ? 0
                          : first < 0xe0 ? 2
                          : first < 0xf0 ? 3
                          : first < 0xf5 ? 4
                                         : 0;
    if (length == 0 || length > text.size()) return 0;
    for (size_t i = 1; i < length; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0u) != 0x80u) return 0;
    return length;
}

void check_text(std::string_view text, const std::string& name) {
    if (text.size() > kMaxConfigBytes)
        refuse(name, 1, "the file is larger than 1 MiB", "is this a configuration of bkhost?");
    for (int line = 1; !text.empty();) {
        const auto first = static_cast<unsigned char>(text[0]);
        const size_t length = character_length(text);
        const bool control =
            (first < 0x20 && first != '\n' && first != '\r' && first != '\t') || first == 0x7f;
        if (length == 0 || control)
            refuse(name, line, "the file is not UTF-8 text", "is this a configuration of bkhost?");
        if (first == '\n') ++line;
        text.remove_prefix(length);
    }
}

/// Of a plain scalar, by YAML's core schema. Quoted ones are strings.
Type plain_type(const std::string& text) {
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
        return Type::null;
    for (const char* word : {"true", "True", "TRUE", "false", "False", "FALSE"})
        if (text == word) return Type::boolean;
    const bool digits = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    return digits && nlohmann::json::accept(text) ? Type::number : Type::string;
}

/// Receives the parser's events and keeps the open sequences and maps on a stack.
class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(std::string name, const Environment& environment)
        : name_(std::move(name)), environment_(environment) {}

    [[nodiscard]] ConfigValue take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        ConfigValue value;
        value.line = line(mark);
        add(std::move(value), anchor);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& text) override {
        ConfigValue value;
        value.line = line(mark);
        check_tag(tag, value.line);
        value.type = tag == "?" || tag.empty() ? plain_type(text) : Type::string;
        value.text = value.type == Type::null ? "" : text;
        if (value.type == Type::string && !expects_key()) put_variables_in(value);
        add(std::move(value), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end())
            refuse(name_, line(mark), "an alias stands inside of what it means",
                   "quote a value that starts with '*'");
        count(known->second);
        if (stack_.size() + depth(known->second) > kMaxConfigDepth) too_deep(line(mark));
        add(known->second, 0);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(Type::sequence, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(Type::map, mark, tag, anchor);
    }
    void OnMapEnd() override { close(); }

private:
    struct Open {
        ConfigValue value;
        YAML::anchor_t anchor = 0;
        bool has_key = false; // of a map: the last entry waits for its value
        std::map<std::string, int> keys{};
    };

    static int line(const YAML::Mark& mark) { return mark.line + 1; }

    static size_t depth(const ConfigValue& value) {
        size_t deepest = 0;
        for (const ConfigValue& item : value.items)
            deepest = std::max(deepest, depth(item));
        for (const auto& entry : value.entries)
            deepest = std::max(deepest, depth(entry.value));
        return deepest + 1;
    }

    [[noreturn]] void too_deep(int at) const {
        refuse(name_, at, "more than " + std::to_string(kMaxConfigDepth) + " levels of nesting");
    }

    void count_one(int at) {
        if (++values_ > kMaxConfigValues)
            refuse(name_, at, "more than " + std::to_string(kMaxConfigValues) + " values",
                   "aliases count each time that they are used");
    }

    void count(const ConfigValue& value) {
        count_one(value.line);
        for (const ConfigValue& item : value.items)
            count(item);
        for (const auto& entry : value.entries)
            count(entry.value);
    }

    // The tag is not quoted: "!" may be the first character of a password.
    void check_tag(const std::string& tag, int at) const {
        static constexpr std::string_view kStandard = "tag:yaml.org,2002:";
        for (const char* type : {"str", "seq", "map"})
            if (tag == std::string(kStandard) + type) return;
        if (!tag.empty() && tag != "?" && tag != "!")
            refuse(name_, at, "tags are not supported", "quote a value that starts with '!'");
    }

    [[nodiscard]] bool expects_key() const {
        return !stack_.empty() && stack_.back().value.is_map() && !stack_.back().has_key;
    }

    void put_variables_in(ConfigValue& value) const {
        try {
            Expanded expanded = expand(value.text, environment_);
            value.text = std::move(expanded.text);
            value.expanded = expanded.from_environment;
        } catch (const bk::Error& error) {
            refuse(name_, value.line, error.message(), error.hint());
        }
    }

    void open(Type type, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        check_tag(tag, line(mark));
        if (expects_key()) refuse(name_, line(mark), "a list or a map cannot be a key");
        if (stack_.size() >= kMaxConfigDepth) too_deep(line(mark));
        Open next;
        next.value.type = type;
        next.value.line = line(mark);
        next.anchor = anchor;
        stack_.push_back(std::move(next));
    }

    void close() {
        Open done = std::move(stack_.back());
        stack_.pop_back();
        add(std::move(done.value), done.anchor);
    }

    void add(ConfigValue value, YAML::anchor_t anchor) {
        if (anchor != 0) {
            count(value); // kept once more
            anchors_[anchor] = value;
        }
        count_one(value.line);
        if (stack_.empty()) {
            root_ = std::move(value);
            return;
        }
        Open& parent = stack_.back();
        if (parent.value.is_sequence()) {
            parent.value.items.push_back(std::move(value));
        } else if (parent.has_key) {
            parent.value.entries.back().value = std::move(value);
            parent.has_key = false;
        } else {
            add_key(parent, value);
        }
    }

    void add_key(Open& parent, const ConfigValue& key) const {
        if (!key.is_scalar() || key.text.empty()) refuse(name_, key.line, "a key must be a text");
        const auto [first, added] = parent.keys.emplace(key.text, key.line);
        if (!added)
            refuse(name_, key.line,
                   "the key '" + key.text + "' stands there twice, first in line " +
                       std::to_string(first->second),
                   "remove one of the two");
        parent.value.entries.push_back({key.text, key.line, {}});
        parent.has_key = true;
    }

    std::string name_;
    const Environment& environment_;
    std::vector<Open> stack_;
    std::map<YAML::anchor_t, ConfigValue> anchors_;
    size_t values_ = 0;
    ConfigValue root_;
};

/// What yaml-cpp says without what it quotes: the rest of its message may be a password.
std::string without_quotes(const std::string& message) {
    if (message.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR)) return "an alias means nothing known";
    return "not valid YAML: " + message.substr(0, message.find(':'));
}

nlohmann::ordered_json json_of(const ConfigValue& value) {
    nlohmann::ordered_json json;
    switch (value.type) {
    case Type::null: break;
    case Type::boolean: json = value.text[0] == 't' || value.text[0] == 'T'; break;
    case Type::number: json = nlohmann::ordered_json::parse(value.text); break;
    case Type::string: json = value.text; break;
    case Type::sequence:
        json = nlohmann::ordered_json::array();
        for (const ConfigValue& item : value.items)
            json.push_back(json_of(item));
        break;
    case Type::map:
        json = nlohmann::ordered_json::object();
        for (const auto& entry : value.entries)
            json[entry.key] = json_of(entry.value);
        break;
    }
    return json;
}

} // namespace

ConfigValue parse_yaml(std::string_view text, const std::string& name,
                       const Environment& environment) {
    check_text(text, name);
    TreeBuilder builder(name, environment);
    TreeBuilder second(name, environment);
    try {
        // yaml-cpp 0.7 takes a quote that is never closed when the file ends in a line break.
        const size_t last = text.find_last_not_of(" \t\r\n");
        std::istringstream trimmed{std::string(text.substr(0, last + 1))};
        TreeBuilder unused(name, environment);
        YAML::Parser(trimmed).HandleNextDocument(unused);

        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        if (parser.HandleNextDocument(builder) && parser.HandleNextDocument(second))
            refuse(name, 1, "the file holds more than one YAML document",
                   "remove all from the second '---'");
    } catch (const YAML::Exception& error) {
        const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
        refuse(name, line, without_quotes(error.msg),
               text.find('\t') == std::string_view::npos
                   ? "quote values that hold ': ', ' #' or start with a special character"
                   : "the file holds tabs, and YAML is indented with spaces");
    }
    return builder.take();
}

std::string to_json(const ConfigValue& value) {
    return json_of(value).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace bkhost
