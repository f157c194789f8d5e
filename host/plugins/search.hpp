// Where plugins are looked for: the directories in the order in which the first module id wins.
// Reads the environment once, looks into no plugin.
#pragma once

#include <string>
#include <vector>

namespace bkhost {

/// Whether the process runs with more rights than its caller (set-user-id, file capabilities):
/// AT_SECURE. What the caller's environment and home say is then ignored.
[[nodiscard]] bool running_privileged() noexcept;

/// One directory of the search order, as an absolute path.
struct SearchDir {
    std::string path;
    std::string origin; ///< "--plugin-dir", "BKHOST_PLUGIN_PATH", "plugin_dirs", "user", "system",
                        ///< "build tree"
    bool required = false; ///< its absence is an error
};

/// What the order is made from; the defaults are those of this process.
struct SearchSources {
    std::vector<std::string> cli_dirs;
    std::string environment_path; ///< colon list
    std::vector<std::string> config_dirs;
    std::string user_dir;
    std::string system_dir;
    std::string build_tree_dir;
    bool privileged = false; ///< environment and user directories are left out
};

/// $XDG_DATA_HOME/bkhost/plugins-0, by default below ~/.local/share; "" without a home.
[[nodiscard]] std::string user_plugin_dir();
/// ${libdir}/bkhost/plugins-0 as compiled in.
[[nodiscard]] std::string system_plugin_dir();
/// <directory of the running executable>/../plugins-0; "" when it cannot be told.
[[nodiscard]] std::string build_tree_plugin_dir();

/// The order, each directory once.
[[nodiscard]] std::vector<SearchDir> search_order(const SearchSources& sources);

} // namespace bkhost
