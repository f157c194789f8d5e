// The configuration file as structs: found, read, checked for form, and checked against what the
// drivers declare. README.md is the reference of the file itself.
#pragma once

#include "core/driver/registry.hpp"
#include "host/config/environment.hpp"
#include "host/config/yaml_tree.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

inline constexpr uint64_t kDefaultMemory = uint64_t{96} << 20;
inline constexpr uint64_t kDefaultVolumeSize = uint64_t{64} << 30;
inline constexpr unsigned kMaxRetries = 100;
inline constexpr uint64_t kUnlimited = uint64_t{1} << 62; ///< what the word `unlimited` means

/// A driver and its options as the file has them: nothing resolved, no secret read.
struct Block {
    std::string driver;
    std::string object; ///< for messages: "storage 'here' (driver local)"
    std::vector<ConfigValue::Entry> options;
    std::string file;          ///< of the configuration
    bool file_private = false; ///< only its owner can read that file
    int line = 0;
};

struct SourceConfig {
    std::string name;
    Block block; ///< kind dumper
};

struct StorageConfig {
    std::string name;
    Block block; ///< kind storage
};

struct JobConfig {
    std::string name;
    std::string source;
    std::optional<Block> compress; ///< nothing: not compressed
    std::optional<Block> encrypt;  ///< nothing: not encrypted
    std::vector<std::string> store;
    std::string store_policy = "all"; ///< "all", "any", or how many copies at least: "2"
    uint64_t volume_size = 0;         ///< bytes; 0: kDefaultVolumeSize
    uint64_t memory = 0;              ///< bytes; 0: Config::memory
    std::vector<std::string> include_tables;
    std::vector<std::string> exclude_tables;
    uint64_t max_rate = 0;  ///< bytes a second; 0: no limit
    int64_t timeout_ms = 0; ///< 0: no limit
    unsigned retries = 0;
    int line = 0;
};

struct Config {
    std::string path; ///< "" : no file was found, all is default
    std::string environment = "default";
    std::string environment_origin = "default"; ///< "--environment", "configuration", "APP_ENV" ...
    std::string catalog_path;
    std::vector<std::string> plugin_dirs;
    uint64_t memory = kDefaultMemory; ///< bytes
    std::vector<SourceConfig>
        sources; ///< in the order of the file, names unique; so are the others
    std::vector<StorageConfig> storages;
    std::vector<JobConfig> jobs;
    std::vector<Block> decrypt; ///< kind encryptor: identities to read archives with

    /// By name; throw CONFIG with the nearest name when there is none.
    [[nodiscard]] const SourceConfig& source(std::string_view name) const;
    [[nodiscard]] const StorageConfig& storage(std::string_view name) const;
    [[nodiscard]] const JobConfig& job(std::string_view name) const;
};

/// One thing that is wrong with the file.
struct ConfigProblem {
    std::string file;
    int line = 0;
    std::string what, hint;
    [[nodiscard]] std::string text() const; ///< "file:line: what; hint"
};

/// Finds and reads the file: `path` (--config), else $BKHOST_CONFIG, ./bkhost.yaml,
/// $XDG_CONFIG_HOME/bkhost/bkhost.yaml, /etc/bkhost/bkhost.yaml; without any, all defaults.
/// `environment_option` is --environment. Runs no command and reads no secret. Throws CONFIG with
/// every problem of form at once, NOT_FOUND when a file that was named is not there.
[[nodiscard]] Config load_config(const std::optional<std::string>& path,
                                 const Environment& environment,
                                 const std::optional<std::string>& environment_option = {});

/// Everything that is wrong with blocks, references and policies, offline: secrets are not read and
/// count as present. Empty: the configuration is good.
[[nodiscard]] std::vector<ConfigProblem> check_config(const Config& config, Registry& registry);
/// Throws CONFIG that lists all of them, unless there are none.
void throw_problems(const std::vector<ConfigProblem>& problems);

/// The block's options with its secrets read (files, variables, commands): call it for the blocks
/// that a command uses and no others. `options` are those of the block's driver. Throws CONFIG with
/// file and line when a secret cannot be had or a value does not fit; no message holds a value that
/// came from a secret or from the environment.
[[nodiscard]] OptionText resolve(const Block& block, const std::vector<OptionInfo>& options,
                                 const Environment& environment);

/// Whether the text may name a source, storage or job: [A-Za-z0-9._-], 1 to 64, no leading dot.
[[nodiscard]] bool is_config_name(std::string_view text) noexcept;
/// Whether the text may be an environment's label: [a-z0-9_-], 1 to 64.
[[nodiscard]] bool is_environment_label(std::string_view text) noexcept;

} // namespace bkhost
