// Finds the plugins: goes through the directories, reads notes, and decides which file serves which
// driver. Runs no plugin.
#pragma once

#include "core/base/log.hpp"
#include "host/plugins/note_reader.hpp"
#include "host/plugins/plugin_file.hpp"
#include "host/plugins/plugin_registry.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bkhost {

/// A file that is a plugin, or looks like one that is damaged.
struct FoundPlugin {
    std::string path; ///< in the directory that was searched
    std::string real_path;
    FileId id;
    PluginNote note;
    PluginState state = PluginState::ok;
    std::string reason, hint;
    std::map<std::string, std::string> shadowed_drivers; ///< as in PluginInfo
};

using DriverKey = std::pair<std::string, std::string>; ///< kind, name

struct Discovery {
    std::vector<FoundPlugin> plugins; ///< in search order
    /// Which plugin decides for a driver, whatever its state: a trusted one that comes later never
    /// takes the place of a refused one unseen.
    std::map<DriverKey, size_t> drivers;
};

/// Throws CONFIG for a directory that is required and absent, and for one that cannot be read.
[[nodiscard]] Discovery discover_plugins(const std::vector<SearchDir>& directories,
                                         bool privileged);

} // namespace bkhost
