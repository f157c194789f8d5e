// The host's Registry: finds plugins by their ELF notes, learns what they offer in a child process,
// and loads those that are asked for. Not for how a driver is called: see core/driver.
#pragma once

#include "core/base/log.hpp"
#include "core/driver/registry.hpp"
#include "host/plugins/search.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// $XDG_CACHE_HOME/bkhost/plugins-0.json, by default below ~/.cache; "" without a home.
[[nodiscard]] std::string default_plugin_cache();

/// How to search; all but the first four are for tests.
struct PluginSearch {
    std::vector<std::string> cli_dirs = {};    ///< --plugin-dir; each must exist
    std::vector<std::string> config_dirs = {}; ///< `plugin_dirs`
    /// Started as "EXECUTABLE --bk-scan PATH"; "": this program, which must hand --bk-scan to
    /// scan_main.
    std::string scan_executable = {};
    Log& log; ///< must outlive the registry

    bool privileged = running_privileged();
    std::string user_dir = user_plugin_dir();
    std::string system_dir = system_plugin_dir();
    std::string build_tree_dir = build_tree_plugin_dir();
    std::string cache_file = default_plugin_cache(); ///< "": none
    std::chrono::milliseconds scan_limit{10'000};
};

enum class PluginState {
    ok,
    shadowed, ///< an earlier plugin has the same module id
    broken,   ///< damaged, crashed when it was scanned, or its note does not agree with its code
    refused   ///< not trusted, not in plugins.lock, or for another host
};
[[nodiscard]] const char* plugin_state_name(PluginState state) noexcept;

/// One file for `plugin list`.
struct PluginInfo {
    std::string path;
    std::string id, version, summary, vendor, license, url; ///< "" where not known
    std::string abi;                                        ///< "0.1"
    PluginState state = PluginState::ok;
    std::string reason; ///< why it is not ok
    /// Whole when state is ok, else as far as the note tells them.
    std::vector<DriverDescription> drivers;
    /// Drivers of this plugin that an earlier one has too: "storage:local" -> path of that one.
    std::map<std::string, std::string> shadowed_drivers;
};

/// Thread-safe. One a process: a module's init runs once for each registry that loads it. Searches
/// at the first call and keeps what it found; a file that is changed later is refused by load.
class PluginRegistry final : public Registry {
public:
    /// Throws CONFIG when a directory of cli_dirs does not exist.
    explicit PluginRegistry(PluginSearch search);
    /// As shutdown.
    ~PluginRegistry() override;
    PluginRegistry(const PluginRegistry&) = delete;
    PluginRegistry& operator=(const PluginRegistry&) = delete;

    /// References stay valid as long as the registry. Also throws CONFIG when the plugin that
    /// carries the driver is broken or refused, with the reason.
    [[nodiscard]] const DriverDescription& describe(std::string_view kind,
                                                    std::string_view name) override;
    [[nodiscard]] const DriverDescription* find_scheme(std::string_view kind,
                                                       std::string_view scheme) override;
    /// Sorted; without drivers of plugins that are known to be broken or refused.
    [[nodiscard]] std::vector<std::string> names(std::string_view kind) override;
    /// What it gives stays valid to the end of the process.
    [[nodiscard]] const bk_component& load(std::string_view kind, std::string_view name) override;

    /// Every plugin in search order, broken ones too. Scans what the cache does not know.
    [[nodiscard]] std::vector<PluginInfo> plugins();
    /// The directories that are searched, in order, whether they exist or not.
    [[nodiscard]] std::vector<SearchDir> directories() const;
    /// Calls fini of every loaded module, the last one first; after the last destroy of an
    /// instance. Nothing can be loaded afterwards. May be called again.
    void shutdown() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The child's side of a scan: main calls it for "--bk-scan PATH" before anything else and returns
/// what it gives. Writes one JSON document to stdout. Runs code of the plugin.
[[nodiscard]] int scan_main(const char* path) noexcept;

} // namespace bkhost
