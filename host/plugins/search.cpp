// What the caller of a privileged program can choose without a trace (environment, home) is not
// searched then; for the directories that stay, plugin_file.hpp accepts only what root owns.
#include "host/plugins/search.hpp"

#include "core/base/text.hpp"

#include <sys/auxv.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace bkhost {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
    std::error_code error;
    fs::path made = fs::absolute(path, error);
    if (error) return path;
    made = made.lexically_normal();
    return made.has_filename() || made == made.root_path() ? made.string()
                                                           : made.parent_path().string();
}

} // namespace

bool running_privileged() noexcept { return getauxval(AT_SECURE) != 0; }

std::string user_plugin_dir() {
    // The base directory specification wants relative values ignored.
    if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && data[0] == '/')
        return std::string(data) + "/bkhost/plugins-0";
    const char* home = std::getenv("HOME");
    return home != nullptr && home[0] == '/' ? std::string(home) + "/.local/share/bkhost/plugins-0"
                                             : "";
}

std::string system_plugin_dir() { return BKHOST_PLUGIN_DIR; }

std::string build_tree_plugin_dir() {
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error);
    return error ? "" : absolute((program.parent_path() / ".." / "plugins-0").string());
}

std::vector<SearchDir> search_order(const SearchSources& sources) {
    std::vector<SearchDir> order;
    const auto add = [&](const std::string& path, const char* origin, bool required = false) {
        if (path.empty()) return;
        std::string whole = absolute(path);
        const auto same = [&](const SearchDir& dir) { return dir.path == whole; };
        if (std::none_of(order.begin(), order.end(), same))
            order.push_back({std::move(whole), origin, required});
    };
    for (const std::string& dir : sources.cli_dirs)
        add(dir, "--plugin-dir", true);
    if (!sources.privileged)
        for (const std::string& dir : split(sources.environment_path, ':'))
            add(dir, "BKHOST_PLUGIN_PATH");
    for (const std::string& dir : sources.config_dirs)
        add(dir, "plugin_dirs");
    if (!sources.privileged) add(sources.user_dir, "user");
    add(sources.system_dir, "system");
    add(sources.build_tree_dir, "build tree");
    return order;
}

} // namespace bkhost
