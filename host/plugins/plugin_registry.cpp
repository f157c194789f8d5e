// One lock guards all of it: the calls are few and come at the start of a command, and a driver
// that two threads ask for is then scanned and loaded once.
#include "host/plugins/plugin_registry.hpp"

#include "core/base/text.hpp"
#include "host/plugins/discovery.hpp"
#include "host/plugins/module_check.hpp"
#include "host/plugins/module_host.hpp"
#include "host/plugins/module_info.hpp"
#include "host/plugins/module_loader.hpp"
#include "host/plugins/scan_cache.hpp"
#include "host/plugins/scanner.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>

namespace bkhost {
namespace {

SearchSources sources_of(const PluginSearch& search) {
    const char* path = std::getenv("BKHOST_PLUGIN_PATH");
    return {search.cli_dirs,   path != nullptr ? path : "", search.config_dirs, search.user_dir,
            search.system_dir, search.build_tree_dir,       search.privileged};
}

/// What the registry learns of a found plugin. `drivers` never changes once it is filled:
/// references to its elements are handed out.
struct Plugin {
    explicit Plugin(FoundPlugin from) : found(std::move(from)) {}

    FoundPlugin found;
    bool examined = false;
    ModuleInfo module;
    std::vector<DriverDescription> drivers;
    const bk_module* loaded = nullptr;
    std::optional<bk::Error> load_error; ///< a module is initialised once, so it fails once
};

DriverDescription from_note(const Plugin& plugin, const NoteDriver& driver) {
    DriverDescription description;
    description.kind = driver.kind;
    description.name = driver.name;
    description.schemes = driver.schemes;
    description.module_id = plugin.found.note.id;
    description.module_version = plugin.found.note.version;
    description.plugin_path = plugin.found.path;
    return description;
}

std::vector<DriverDescription> describe_drivers(const Plugin& plugin) {
    std::vector<DriverDescription> all;
    for (const DriverInfo& driver : plugin.module.drivers) {
        all.push_back(from_note(
            plugin, {kind_of_interface(driver.interface_id), driver.name, driver.schemes}));
        all.back().interface_id = driver.interface_id;
        all.back().summary = driver.summary;
        all.back().options = driver.options;
    }
    return all;
}

std::string lower(std::string_view text) {
    std::string lowered(text);
    for (char& c : lowered)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return lowered;
}

void check_directories(const std::vector<SearchDir>& directories) {
    for (const SearchDir& dir : directories) {
        std::error_code error;
        if (dir.required && !std::filesystem::is_directory(dir.path, error))
            throw bk::Error(BK_E_CONFIG,
                            "plugin directory '" + dir.path + "' (" + dir.origin +
                                ") does not exist",
                            "name a directory that exists and can be read");
    }
}

/// That the file is still the one that was found, and still to be trusted.
void check_unchanged(const Plugin& plugin, bool privileged) {
    const PluginFile file(plugin.found.real_path);
    if (file.id() != plugin.found.id)
        throw bk::Error(BK_E_CONFIG, "plugin '" + plugin.found.path + "' was changed meanwhile",
                        "start the command again");
    if (const std::string why = file.distrust(privileged); !why.empty())
        throw bk::Error(BK_E_CONFIG, "plugin '" + plugin.found.path + "' is refused: " + why);
}

} // namespace

std::string default_plugin_cache() {
    if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && cache[0] == '/')
        return std::string(cache) + "/bkhost/plugins-0.json";
    const char* home = std::getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/bkhost/plugins-0.json"
                                             : "";
}

const char* plugin_state_name(PluginState state) noexcept {
    switch (state) {
    case PluginState::ok: return "ok";
    case PluginState::shadowed: return "shadowed";
    case PluginState::broken: return "broken";
    case PluginState::refused: return "refused";
    }
    return "unknown";
}

struct PluginRegistry::State {
    explicit State(PluginSearch from)
        : search(std::move(from)), directories(search_order(sources_of(search))) {}

    void discover();
    ScanResult scan(const Plugin& plugin);
    void examine(Plugin& plugin);
    [[nodiscard]] std::vector<std::string> names(std::string_view kind) const;
    [[nodiscard]] bk::Error not_installed(std::string_view kind, std::string_view name) const;
    Plugin& plugin_with(std::string_view kind, std::string_view name);
    const DriverDescription& describe(std::string_view kind, std::string_view name);
    void open(Plugin& plugin);
    [[nodiscard]] PluginInfo info(const Plugin& plugin) const;

    std::mutex mutex;
    PluginSearch search;
    const std::vector<SearchDir> directories;
    bool discovered = false;
    std::vector<std::unique_ptr<Plugin>> plugins;
    std::map<DriverKey, size_t> drivers;
    std::optional<ScanCache> cache;
    struct Loaded {
        const bk_module* module;
        ModuleHost* host;
    };
    std::vector<Loaded> loaded;
    bool closed = false;
};

void PluginRegistry::State::discover() {
    if (discovered) return;
    Discovery found = discover_plugins(directories, search.privileged);
    for (FoundPlugin& plugin : found.plugins)
        plugins.push_back(std::make_unique<Plugin>(std::move(plugin)));
    drivers = std::move(found.drivers);
    discovered = true;
}

ScanResult PluginRegistry::State::scan(const Plugin& plugin) {
    if (!cache) cache.emplace(search.privileged ? "" : search.cache_file, search.log);
    const std::string& path = plugin.found.real_path;
    if (auto known = cache->find(path, plugin.found.id)) return *known;
    check_unchanged(plugin, search.privileged);
    search.log.debug("scanning plugin '" + plugin.found.path + "'");
    const std::string program =
        search.scan_executable.empty() ? "/proc/self/exe" : search.scan_executable;
    ScanResult result = scan_plugin(program, path, search.scan_limit);
    cache->put(path, plugin.found.id, result);
    return result;
}

/// Learns what the module says of itself, if its note gave no reason not to ask.
void PluginRegistry::State::examine(Plugin& plugin) {
    if (plugin.examined || plugin.found.state != PluginState::ok) return;
    ScanResult result = scan(plugin);
    plugin.examined = true;
    if (result.module) {
        result.problem = disagreement(plugin.found.note, *result.module);
        result.hint = "install the plugin again";
    } else if (result.lasting && !search.cache_file.empty()) {
        result.hint = "this is remembered until the file changes; to ask again, delete '" +
                      search.cache_file + "'";
    }
    if (!result.problem.empty()) {
        plugin.found.state = PluginState::broken;
        plugin.found.reason = std::move(result.problem);
        plugin.found.hint = std::move(result.hint);
        return;
    }
    plugin.module = std::move(*result.module);
    plugin.drivers = describe_drivers(plugin);
}

std::vector<std::string> PluginRegistry::State::names(std::string_view kind) const {
    std::vector<std::string> all;
    for (const auto& [key, index] : drivers)
        if (key.first == kind && plugins[index]->found.state == PluginState::ok)
            all.push_back(key.second);
    return all;
}

bk::Error PluginRegistry::State::not_installed(std::string_view kind, std::string_view name) const {
    std::string hint;
    if (const std::string like = nearest(name, names(kind)); !like.empty())
        hint = "did you mean '" + like + "'? ";
    std::vector<std::string> searched;
    for (const SearchDir& dir : directories)
        searched.push_back(dir.path);
    const bool unusable = std::any_of(plugins.begin(), plugins.end(), [](const auto& plugin) {
        return plugin->found.state != PluginState::ok &&
               plugin->found.state != PluginState::shadowed;
    });
    hint += "searched: " + join(searched) + "; see 'bkhost plugin list" +
            (unusable ? " --broken'" : "'");
    return {BK_E_CONFIG,
            "no " + std::string(kind) + " driver '" + std::string(name) + "' is installed", hint};
}

/// The examined and usable plugin that carries the driver.
Plugin& PluginRegistry::State::plugin_with(std::string_view kind, std::string_view name) {
    discover();
    const auto entry = drivers.find(DriverKey(kind, name));
    if (entry == drivers.end()) throw not_installed(kind, name);
    Plugin& plugin = *plugins[entry->second];
    examine(plugin);
    if (cache) cache->save();
    if (plugin.found.state == PluginState::ok) return plugin;
    throw bk::Error(BK_E_CONFIG,
                    std::string(kind) + " driver '" + std::string(name) +
                        "' cannot be used: plugin '" + plugin.found.path + "' is " +
                        plugin_state_name(plugin.found.state) + ": " + plugin.found.reason,
                    plugin.found.hint.empty() ? "see 'bkhost plugin list --broken'"
                                              : plugin.found.hint);
}

const DriverDescription& PluginRegistry::State::describe(std::string_view kind,
                                                         std::string_view name) {
    Plugin& plugin = plugin_with(kind, name);
    const auto driver = std::find_if(
        plugin.drivers.begin(), plugin.drivers.end(),
        [&](const DriverDescription& one) { return one.kind == kind && one.name == name; });
    if (driver == plugin.drivers.end()) throw not_installed(kind, name);
    if (const std::string_view ours = interface_of_kind(kind); ours != driver->interface_id)
        throw bk::Error(
            BK_E_CONFIG,
            "plugin '" + plugin.found.path + "': driver '" + driver->name +
                "' has the interface '" + driver->interface_id + "', which this host does not know",
            ours.empty()
                ? "use a newer bkhost"
                : "this host knows '" + std::string(ours) + "': use a build of the plugin for it");
    return *driver;
}

/// Maps and initialises the module.
void PluginRegistry::State::open(Plugin& plugin) {
    if (plugin.loaded != nullptr) return;
    if (plugin.load_error) throw *plugin.load_error;
    check_unchanged(plugin, search.privileged);
    const std::string object = "plugin '" + plugin.found.path + "'";
    try {
        const bk_module& module = open_module(plugin.found.real_path);
        if (std::string why = disagreement(plugin.found.note, describe_module(module));
            !why.empty())
            throw bk::Error(BK_E_CONFIG, why, "install the plugin again");
        ModuleHost& host = ModuleHost::create(plugin.found.note.id, search.log);
        bk_error error = bk::empty_error();
        if (BK_HAS(&module, bk_module, init))
            if (const bk_status status = module.init(host.get(), &error); status != BK_OK) {
                host.detach();
                bk::throw_error(status, error);
            }
        loaded.push_back({&module, &host});
        plugin.loaded = &module;
    } catch (const bk::Error& error) {
        plugin.load_error.emplace(error.status(), object + ": " + error.message(), error.hint());
        throw *plugin.load_error;
    }
}

PluginInfo PluginRegistry::State::info(const Plugin& plugin) const {
    PluginInfo info;
    info.path = plugin.found.path;
    info.state = plugin.found.state;
    info.reason = plugin.found.reason;
    info.shadowed_drivers = plugin.found.shadowed_drivers;
    const PluginNote& note = plugin.found.note;
    info.id = note.id;
    info.version = note.version;
    if (!note.id.empty())
        info.abi = std::to_string(note.abi_major) + "." + std::to_string(note.abi_minor);
    info.drivers = plugin.drivers;
    if (info.drivers.empty())
        for (const NoteDriver& driver : note.drivers)
            info.drivers.push_back(from_note(plugin, driver));
    info.summary = plugin.module.summary;
    info.vendor = plugin.module.vendor;
    info.license = plugin.module.license;
    info.url = plugin.module.url;
    return info;
}

PluginRegistry::PluginRegistry(PluginSearch search)
    : state_(std::make_unique<State>(std::move(search))) {
    check_directories(state_->directories);
}

PluginRegistry::~PluginRegistry() { shutdown(); }

const DriverDescription& PluginRegistry::describe(std::string_view kind, std::string_view name) {
    const std::lock_guard lock(state_->mutex);
    return state_->describe(kind, name);
}

const DriverDescription* PluginRegistry::find_scheme(std::string_view kind,
                                                     std::string_view scheme) {
    const std::lock_guard lock(state_->mutex);
    state_->discover();
    const std::string wanted = lower(scheme);
    for (size_t i = 0; i < state_->plugins.size(); ++i) {
        for (const NoteDriver& driver : state_->plugins[i]->found.note.drivers) {
            const auto owner = state_->drivers.find(DriverKey(driver.kind, driver.name));
            if (driver.kind == kind && owner != state_->drivers.end() && owner->second == i &&
                std::find(driver.schemes.begin(), driver.schemes.end(), wanted) !=
                    driver.schemes.end())
                return &state_->describe(kind, driver.name);
        }
    }
    return nullptr;
}

std::vector<std::string> PluginRegistry::names(std::string_view kind) {
    const std::lock_guard lock(state_->mutex);
    state_->discover();
    return state_->names(kind);
}

const bk_component& PluginRegistry::load(std::string_view kind, std::string_view name) {
    const std::lock_guard lock(state_->mutex);
    if (state_->closed) throw bk::Error(BK_E_INVALID, "a driver was asked for after the shutdown");
    const DriverDescription& driver = state_->describe(kind, name);
    Plugin& plugin = state_->plugin_with(kind, name);
    state_->open(plugin);
    for (uint32_t i = 0; i < plugin.loaded->component_count; ++i) {
        const bk_component& component = *plugin.loaded->components[i];
        if (component.name == driver.name && component.interface_id == driver.interface_id)
            return component;
    }
    // The module agreed with its note a moment ago, so this is a file that differs from its scan.
    throw bk::Error(BK_E_CONFIG,
                    "plugin '" + plugin.found.path + "': the driver '" + driver.name +
                        "' is not in what was loaded",
                    "start the command again");
}

std::vector<PluginInfo> PluginRegistry::plugins() {
    const std::lock_guard lock(state_->mutex);
    state_->discover();
    for (const auto& plugin : state_->plugins)
        state_->examine(*plugin);
    if (state_->cache) state_->cache->save();
    std::vector<PluginInfo> all;
    for (const auto& plugin : state_->plugins)
        all.push_back(state_->info(*plugin));
    return all;
}

std::vector<SearchDir> PluginRegistry::directories() const { return state_->directories; }

void PluginRegistry::shutdown() noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->closed = true;
    for (; !state_->loaded.empty(); state_->loaded.pop_back()) {
        const auto [module, host] = state_->loaded.back();
        if (BK_HAS(module, bk_module, fini)) module->fini();
        host->detach();
    }
}

} // namespace bkhost
