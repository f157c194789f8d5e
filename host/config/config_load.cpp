// The tree of the file as structs. Collects every problem of form before it gives up; drivers and
// references are config_check's.
#include "host/config/config.hpp"
#include "host/config/config_find.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>

namespace bkhost {
namespace {

using Type = ConfigValue::Type;
using Entry = ConfigValue::Entry;

constexpr const char* kNameRule = "names are 1 to 64 of A-Z a-z 0-9 . _ -, not starting with a dot";
constexpr const char* kLabelRule = "a label is 1 to 64 of a-z 0-9 _ -";

std::string canonical(std::string_view key) {
    std::string name(key);
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

/// ", not 'x'", unless the value came from the environment.
std::string not_this(const ConfigValue& value) {
    if (!value.is_scalar() || value.expanded || value.text.empty()) return "";
    return ", not '" + value.text + "'";
}

/// Reads one file. Confined.
class Reader {
public:
    Reader(const ConfigFile& file, const Environment& environment)
        : file_(file), environment_(environment) {
        if (!file.path.empty())
            folder_ = std::filesystem::absolute(file.path).parent_path().string();
    }

    Config read(const ConfigValue& root) {
        Config config;
        config.path = file_.path;
        if (root.type == Type::null) return config;
        if (!root.is_map()) {
            problem(root.line, "a configuration is a map of keys", "start with 'jobs:'");
            return config;
        }
        keys(
            root, "",
            {
                {"environment", [&](const Entry& e) { read_label(e, config); }},
                {"catalog",
                 [&](const Entry& e) { config.catalog_path = path(e.value, "catalog"); }},
                {"plugin-dirs", [&](const Entry& e) { read_plugin_dirs(e, config); }},
                {"memory", [&](const Entry& e) { config.memory = size(e.value, "memory", false); }},
                {"storages", [&](const Entry& e) { read_blocks(e, "storage", config.storages); }},
                {"sources", [&](const Entry& e) { read_blocks(e, "source", config.sources); }},
                {"jobs", [&](const Entry& e) { read_jobs(e, config); }},
                {"decrypt", [&](const Entry& e) { read_decrypt(e, config); }},
            });
        return config;
    }

    void problem(int line, const std::string& what, const std::string& hint = "") {
        problems.push_back({file_.path, line, what, hint});
    }

    std::vector<ConfigProblem> problems;

private:
    using Keys = std::vector<std::pair<const char*, std::function<void(const Entry&)>>>;

    /// Gives each entry to the reader of its key. `where` is " in job 'shop'" or "".
    void keys(const ConfigValue& map, const std::string& where, const Keys& known) {
        std::set<std::string> seen;
        for (const Entry& entry : map.entries) {
            const std::string key = canonical(entry.key);
            const auto found = std::find_if(known.begin(), known.end(),
                                            [&](const auto& one) { return key == one.first; });
            if (found == known.end())
                unknown_key(entry, where, known);
            else if (!seen.insert(key).second)
                problem(entry.line, "the key '" + key + "' stands there twice" + where,
                        "'-' and '_' in names are the same");
            else
                found->second(entry);
        }
    }

    void unknown_key(const Entry& entry, const std::string& where, const Keys& known) {
        std::vector<std::string> names;
        for (const auto& one : known)
            names.emplace_back(one.first);
        const std::string meant = nearest(canonical(entry.key), names);
        problem(entry.line, "unknown key '" + entry.key + "'" + where,
                meant.empty() ? "keys are: " + join(names) : "did you mean '" + meant + "'?");
    }

    std::string text(const ConfigValue& value, const std::string& what) {
        if (value.is_scalar() && !value.text.empty()) return value.text;
        problem(value.line, what + " must be a text",
                value.is_scalar() ? "it is empty" : "it is a list or a map");
        return "";
    }

    std::string path(const ConfigValue& value, const std::string& what) {
        const std::string written = text(value, what);
        if (written.empty()) return "";
        try {
            return placed_path(written, folder_, environment_);
        } catch (const bk::Error& error) {
            problem(value.line, what + ": " + error.message(), error.hint());
            return "";
        }
    }

    uint64_t size(const ConfigValue& value, const std::string& what, bool may_be_unlimited) {
        if (may_be_unlimited && value.is_scalar() && value.text == "unlimited") return kUnlimited;
        const auto bytes = value.is_scalar() ? parse_size(value.text) : std::nullopt;
        const char* unlimited =
            may_be_unlimited ? "for no limit write unlimited" : "for example 96MiB";
        if (bytes && *bytes > 0 && *bytes <= kUnlimited) return *bytes;
        if (bytes && *bytes == 0)
            problem(value.line, what + " must not be 0", unlimited);
        else
            problem(value.line, what + " must be a size" + not_this(value),
                    "for example 96MiB or 64GiB");
        return 0;
    }

    /// Milliseconds; 0 for the word `unlimited`.
    int64_t duration(const ConfigValue& value, const std::string& what) {
        if (value.is_scalar() && value.text == "unlimited") return 0;
        const auto time = value.is_scalar() ? parse_duration(value.text) : std::nullopt;
        if (time && *time > 0) return *time;
        if (time)
            problem(value.line, what + " must not be 0", "for no limit write unlimited");
        else
            problem(value.line, what + " must be a duration" + not_this(value),
                    "for example 90s, 30m, 2h or 1h30m");
        return 0;
    }

    unsigned count(const ConfigValue& value, const std::string& what, unsigned most) {
        const auto number = value.is_scalar() ? parse_int(value.text) : std::nullopt;
        if (number && *number >= 0 && *number <= most) return static_cast<unsigned>(*number);
        problem(value.line, what + " must be a number" + not_this(value),
                "from 0 to " + std::to_string(most));
        return 0;
    }

    std::vector<std::string> texts(const ConfigValue& value, const std::string& what) {
        if (!value.is_sequence()) return {text(value, what)};
        if (value.items.empty())
            problem(value.line, what + " is an empty list", "remove the key, or fill the list");
        std::vector<std::string> all;
        for (const ConfigValue& item : value.items)
            all.push_back(text(item, "an item of " + what));
        return all;
    }

    void read_label(const Entry& entry, Config& config) {
        const std::string label = text(entry.value, "environment");
        if (label.empty()) return;
        if (!is_environment_label(label))
            problem(entry.value.line, "environment must be a label" + not_this(entry.value),
                    kLabelRule);
        config.environment = label;
        config.environment_origin = "configuration";
    }

    void read_plugin_dirs(const Entry& entry, Config& config) {
        const bool list = entry.value.is_sequence();
        if (list && entry.value.items.empty())
            problem(entry.line, "plugin-dirs is an empty list", "remove the key, or fill the list");
        if (!list) config.plugin_dirs.push_back(path(entry.value, "plugin-dirs"));
        for (const ConfigValue& item : entry.value.items)
            config.plugin_dirs.push_back(path(item, "an item of plugin-dirs"));
    }

    /// The entries of a map name → something; reports names that may not be.
    std::vector<const Entry*> named(const Entry& section, const char* what) {
        std::vector<const Entry*> all;
        if (section.value.type == Type::null) return all;
        if (!section.value.is_map()) {
            problem(section.line, "'" + section.key + "' must be a map of names",
                    std::string("write the name of the ") + what + ", a colon, and its keys below");
            return all;
        }
        for (const Entry& entry : section.value.entries) {
            if (is_config_name(entry.key))
                all.push_back(&entry);
            else
                problem(entry.line, std::string("'") + entry.key + "' cannot name a " + what,
                        kNameRule);
        }
        return all;
    }

    template <class Named>
    void read_blocks(const Entry& section, const char* what, std::vector<Named>& to) {
        for (const Entry* entry : named(section, what))
            if (auto read = block(entry->value, std::string(what) + " '" + entry->key + "'"))
                to.push_back({entry->key, std::move(*read)});
    }

    void read_decrypt(const Entry& section, Config& config) {
        if (!section.value.is_sequence()) {
            problem(section.line, "'decrypt' must be a list of blocks",
                    "for example decrypt: [{driver: age, identity-files: PATH}]");
            return;
        }
        for (const ConfigValue& item : section.value.items)
            if (auto read = block(item, "decrypt")) config.decrypt.push_back(std::move(*read));
    }

    std::optional<Block> block(const ConfigValue& value, const std::string& object) {
        Block read;
        read.file = file_.path;
        read.file_private = file_.owner_only;
        read.line = value.line;
        if (value.type == Type::string) {
            read.driver = value.text;
        } else if (value.is_map()) {
            for (const Entry& entry : value.entries) {
                if (entry.key == "driver")
                    read.driver = text(entry.value, "driver of " + object);
                else
                    read.options.push_back(entry);
            }
        }
        if (!is_config_name(read.driver)) {
            // Not quoted: a password may have slipped to where the driver's name belongs.
            problem(value.line, object + " names no driver",
                    "write {driver: NAME, key: value, ...}");
            return std::nullopt;
        }
        read.object = object + " (driver " + read.driver + ")";
        return read;
    }

    void read_jobs(const Entry& section, Config& config) {
        for (const Entry* entry : named(section, "job")) {
            if (entry->value.is_map())
                config.jobs.push_back(read_job(*entry));
            else
                problem(entry->line, "job '" + entry->key + "' must be a map of keys",
                        "it needs source and store");
        }
    }

    JobConfig read_job(const Entry& entry) {
        JobConfig job;
        job.name = entry.key;
        job.line = entry.line;
        const std::string of = " of job '" + job.name + "'";
        bool compress_given = false;
        keys(entry.value, " in job '" + job.name + "'",
             {
                 {"source", [&](const Entry& e) { job.source = text(e.value, "source" + of); }},
                 {"store", [&](const Entry& e) { job.store = texts(e.value, "store" + of); }},
                 {"store-policy", [&](const Entry& e) { job.store_policy = policy(e.value, of); }},
                 {"compress",
                  [&](const Entry& e) {
                      compress_given = true;
                      job.compress = block_or_none(e.value, "compress" + of);
                  }},
                 {"encrypt",
                  [&](const Entry& e) { job.encrypt = block_or_none(e.value, "encrypt" + of); }},
                 {"volume-size",
                  [&](const Entry& e) {
                      job.volume_size = size(e.value, "volume-size" + of, true);
                  }},
                 {"memory",
                  [&](const Entry& e) { job.memory = size(e.value, "memory" + of, false); }},
                 {"include-tables",
                  [&](const Entry& e) {
                      job.include_tables = texts(e.value, "include-tables" + of);
                  }},
                 {"exclude-tables",
                  [&](const Entry& e) {
                      job.exclude_tables = texts(e.value, "exclude-tables" + of);
                  }},
                 {"max-rate",
                  [&](const Entry& e) {
                      const uint64_t rate = size(e.value, "max-rate" + of, true);
                      job.max_rate = rate == kUnlimited ? 0 : rate;
                  }},
                 {"timeout",
                  [&](const Entry& e) { job.timeout_ms = duration(e.value, "timeout" + of); }},
                 {"retries",
                  [&](const Entry& e) {
                      job.retries = count(e.value, "retries" + of, kMaxRetries);
                  }},
             });
        if (!compress_given) {
            ConfigValue zstd;
            zstd.type = Type::string;
            zstd.text = "zstd";
            zstd.line = entry.line;
            job.compress = block(zstd, "compress" + of);
        }
        return job;
    }

    std::optional<Block> block_or_none(const ConfigValue& value, const std::string& object) {
        if (value.is_scalar() && value.text == "none") return std::nullopt;
        return block(value, object);
    }

    std::string policy(const ConfigValue& value, const std::string& of) {
        const std::string word = value.is_scalar() ? value.text : "";
        const auto copies = parse_int(word);
        if (word == "all" || word == "any") return word;
        if (copies && *copies >= 1) return std::to_string(*copies);
        problem(value.line, "store-policy" + of + " must be all, any or a number" + not_this(value),
                "a number says how many copies a completed backup needs, at least 1");
        return "all";
    }

    const ConfigFile& file_;
    const Environment& environment_;
    std::string folder_;
};

void set_environment(Config& config, const std::string& label, const std::string& origin) {
    if (!is_environment_label(label))
        throw bk::Error(BK_E_CONFIG, "the environment that " + origin + " gives is no label",
                        kLabelRule);
    config.environment = label;
    config.environment_origin = origin;
}

void choose_environment(Config& config, const Environment& environment,
                        const std::optional<std::string>& option) {
    if (option) return set_environment(config, *option, "--environment");
    if (config.environment_origin == "configuration") return;
    for (const char* variable : {"BKHOST_ENVIRONMENT", "APP_ENV"})
        if (const auto label = environment.text(variable))
            return set_environment(config, *label, variable);
}

} // namespace

Config load_config(const std::optional<std::string>& path, const Environment& environment,
                   const std::optional<std::string>& environment_option) {
    const ConfigFile file = find_config_file(path, environment);
    Reader reader(file, environment);
    Config config = reader.read(parse_yaml(file.text, file.path, environment));
    throw_problems(reader.problems);
    choose_environment(config, environment, environment_option);
    if (config.catalog_path.empty()) {
        const auto state = xdg_path(environment, "XDG_STATE_HOME", ".local/state", "catalog.db");
        if (!state)
            throw bk::Error(BK_E_CONFIG, "no place for the catalog: HOME is not set",
                            "set HOME or XDG_STATE_HOME, or catalog in the configuration");
        config.catalog_path = *state;
    }
    return config;
}

} // namespace bkhost
