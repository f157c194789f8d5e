// From the values of the file to option texts: lists, JSON, secrets, and problems with their lines.
#include "host/config/block_options.hpp"

#include "host/config/secret_value.hpp"

#include <bkhost/error.hpp>

#include <filesystem>
#include <map>
#include <set>

namespace bkhost {
namespace {

constexpr const char* kForms = "a secret is {env: NAME}, {file: PATH} or {command: [PROGRAM, ARG]}";

/// Reads one block. Confined.
class BlockReader {
public:
    BlockReader(const Block& block, const std::vector<OptionInfo>& options,
                const Environment* environment)
        : block_(block), options_(options), environment_(environment) {}

    BlockReading read() {
        for (const auto& entry : block_.options) {
            lines_[entry.key] = entry.line;
            read_option(entry, find_option(options_, entry.key));
        }
        for (const OptionProblem& found :
             check_options(options_, reading_.text, unresolved_, confidential_)) {
            const auto line = lines_.find(found.key);
            problem(line == lines_.end() ? block_.line : line->second, found.what, found.hint);
        }
        return std::move(reading_);
    }

private:
    void problem(int line, const std::string& what, const std::string& hint) {
        reading_.problems.push_back({block_.file, line, block_.object + ": " + what, hint});
    }

    void read_option(const ConfigValue::Entry& entry, const OptionInfo* option) {
        const ConfigValue& value = entry.value;
        if (option == nullptr) { // check_options reports it; what it holds does not matter
            unresolved_.insert(entry.key);
            return;
        }
        const bool json = option->type == BK_OPT_JSON && !secret_form(value);
        if (json && (value.is_map() || value.is_sequence())) {
            reading_.text[entry.key].push_back(to_json(value));
            confidential_.insert(entry.key);
        } else if (value.is_sequence()) {
            for (const ConfigValue& item : value.items)
                read_item(entry, *option, item);
            if (value.items.empty()) no_value(entry, value);
        } else {
            read_item(entry, *option, value);
        }
    }

    void no_value(const ConfigValue::Entry& entry, const ConfigValue& value) {
        give_up(entry.key);
        problem(value.line, "option '" + entry.key + "' has no value",
                "remove the key, or give one");
    }

    void read_item(const ConfigValue::Entry& entry, const OptionInfo& option,
                   const ConfigValue& value) {
        if (value.type == ConfigValue::Type::null) return no_value(entry, value);
        if (value.is_scalar()) {
            read_text(entry, option, value);
        } else if (const auto form = secret_form(value)) {
            read_form(entry, value, *form);
        } else { // not quoted: a password that YAML took for a map looks like this
            give_up(entry.key);
            problem(value.line,
                    "option '" + entry.key + "' must be of type " + option_type_name(option.type),
                    kForms);
        }
    }

    void read_text(const ConfigValue::Entry& entry, const OptionInfo& option,
                   const ConfigValue& value) {
        if (option.type == BK_OPT_SECRET && !block_.file_private)
            problem(value.line,
                    "the secret option '" + entry.key +
                        "' is plain text in a file that others than its owner may read",
                    std::string(kForms) + "; or chmod 600 the file");
        if (value.expanded) confidential_.insert(entry.key);
        add(entry.key, value.text);
    }

    void read_form(const ConfigValue::Entry& entry, const ConfigValue& value,
                   const SecretForm& form) {
        confidential_.insert(entry.key);
        if (environment_ == nullptr) {
            give_up(entry.key);
            return;
        }
        try {
            const std::string folder =
                std::filesystem::absolute(block_.file).parent_path().string();
            add(entry.key, read_secret(form, folder, *environment_).reveal());
        } catch (const bk::Error& error) {
            give_up(entry.key);
            problem(value.line, "option '" + entry.key + "': " + error.message(), error.hint());
        }
    }

    /// The option counts as present, and no more is said of it; a list is known whole or not at
    /// all.
    void give_up(const std::string& key) {
        unresolved_.insert(key);
        reading_.text.erase(key);
    }

    void add(const std::string& key, const std::string& text) {
        if (unresolved_.count(key) == 0) reading_.text[key].push_back(text);
    }

    const Block& block_;
    const std::vector<OptionInfo>& options_;
    const Environment* environment_;
    std::map<std::string, int> lines_;
    std::set<std::string> unresolved_, confidential_;
    BlockReading reading_;
};

} // namespace

BlockReading read_block(const Block& block, const std::vector<OptionInfo>& options,
                        const Environment* environment) {
    return BlockReader(block, options, environment).read();
}

OptionText resolve(const Block& block, const std::vector<OptionInfo>& options,
                   const Environment& environment) {
    BlockReading reading = read_block(block, options, &environment);
    throw_problems(reading.problems);
    return std::move(reading.text);
}

} // namespace bkhost
