// The first file with a module id, and the first with a driver, wins; what comes later is kept for
// the list, so that nobody wonders where a plugin has gone.
#include "host/plugins/discovery.hpp"

#include "host/plugins/lock_file.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <filesystem>
#include <optional>

namespace bkhost {
namespace {

namespace fs = std::filesystem;

/// Names of the *.so files, sorted; nothing when the directory does not exist.
std::vector<std::string> libraries_in(const SearchDir& dir) {
    const std::string object = "plugin directory '" + dir.path + "' (" + dir.origin + ")";
    std::error_code error;
    std::vector<std::string> names;
    fs::directory_iterator entry(dir.path, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        std::error_code ignored; // a dangling link is reported later, as a broken plugin
        if (entry->path().extension() == ".so" && !entry->is_directory(ignored))
            names.push_back(entry->path().filename().string());
    }
    const bool absent =
        error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory;
    if (error && (dir.required || !absent))
        throw bk::Error(BK_E_CONFIG, object + ": " + error.message(),
                        "name a directory that exists and can be read");
    std::sort(names.begin(), names.end());
    return names;
}

void refuse(FoundPlugin& plugin, std::string reason, std::string hint) {
    plugin.state = PluginState::refused;
    plugin.reason = std::move(reason);
    plugin.hint = std::move(hint);
}

void judge(FoundPlugin& plugin, const PluginFile& file, const std::optional<LockFile>& lock,
           bool privileged) {
    const unsigned major = plugin.note.abi_major;
    if (major != BK_ABI_MAJOR)
        return refuse(plugin,
                      "it is made for plugin ABI major " + std::to_string(major) +
                          ", and this host has " + std::to_string(BK_ABI_MAJOR),
                      "use a bkhost of ABI major " + std::to_string(major) +
                          ", or a build of the plugin for this one");
    if (std::string why = file.distrust(privileged); !why.empty())
        return refuse(plugin, std::move(why),
                      "only root or the caller may be able to write to a plugin and its directory: "
                      "see chown(1) and chmod(1)");
    if (!lock) return;
    if (std::string why = lock->refusal(fs::path(plugin.path).filename().string(), file);
        !why.empty())
        refuse(plugin, std::move(why), "if the file is the one you want, renew plugins.lock");
}

/// Nothing when the file is a library, but no plugin.
std::optional<FoundPlugin> examine(const std::string& path, const std::optional<LockFile>& lock,
                                   bool privileged) {
    FoundPlugin plugin;
    plugin.path = path;
    try {
        const PluginFile file(path);
        plugin.real_path = file.real_path();
        plugin.id = file.id();
        NoteResult read =
            read_plugin_note({file.id().size, [&](uint64_t at, std::span<uint8_t> out) {
                                  return file.read(at, out);
                              }});
        if (read.state == NoteState::no_note) return std::nullopt;
        plugin.note = std::move(read.note);
        if (read.state == NoteState::plugin) {
            judge(plugin, file, lock, privileged);
        } else {
            plugin.state = PluginState::broken;
            plugin.reason = std::move(read.reason);
            plugin.hint = "install the plugin again";
        }
    } catch (const bk::Error& error) {
        plugin.state = PluginState::broken;
        plugin.reason = error.message();
    }
    return plugin;
}

bool for_this_abi(const FoundPlugin& plugin) {
    return !plugin.note.id.empty() && plugin.note.abi_major == BK_ABI_MAJOR;
}

void assign_drivers(Discovery& found) {
    std::map<std::string, size_t> modules;
    for (size_t i = 0; i < found.plugins.size(); ++i) {
        FoundPlugin& plugin = found.plugins[i];
        if (!for_this_abi(plugin)) continue;
        if (const auto [first, fresh] = modules.emplace(plugin.note.id, i); !fresh) {
            plugin.state = PluginState::shadowed;
            plugin.reason = "'" + found.plugins[first->second].path + "' has the same module id '" +
                            plugin.note.id + "' and comes first";
            continue;
        }
        for (const NoteDriver& driver : plugin.note.drivers) {
            const auto [first, fresh] =
                found.drivers.emplace(DriverKey(driver.kind, driver.name), i);
            if (!fresh)
                plugin.shadowed_drivers[driver.kind + ":" + driver.name] =
                    found.plugins[first->second].path;
        }
    }
}

} // namespace

Discovery discover_plugins(const std::vector<SearchDir>& directories, bool privileged) {
    Discovery found;
    for (const SearchDir& dir : directories) {
        const std::vector<std::string> names = libraries_in(dir);
        if (names.empty()) continue;
        const std::optional<LockFile> lock = LockFile::find(dir.path, privileged);
        for (const std::string& name : names)
            if (auto plugin = examine(dir.path + "/" + name, lock, privileged))
                found.plugins.push_back(std::move(*plugin));
    }
    assign_drivers(found);
    return found;
}

} // namespace bkhost
