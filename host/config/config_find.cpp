// The search order, and who may have written the file: a configuration can run commands.
#include "host/config/config_find.hpp"

#include "host/config/open_file.hpp"
#include "host/config/yaml_tree.hpp"

#include <bkhost/error.hpp>

#include <cerrno>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace bkhost {
namespace {

constexpr const char* kHere = "./bkhost.yaml";

bool is_there(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

ConfigFile read_file(const std::string& path) {
    const OpenFile file(path);
    if (S_ISREG(file.mode()) && (file.mode() & S_IWOTH) != 0)
        throw bk::Error(BK_E_DENIED, "everybody may write to the configuration '" + path + "'",
                        "it can run commands: chmod o-w " + path);
    if (path == kHere && file.owner() != 0 && file.owner() != ::geteuid())
        throw bk::Error(BK_E_DENIED,
                        std::string("the configuration '") + kHere +
                            "' belongs neither to you nor to root",
                        "it can run commands: name it with --config if you trust it");
    return {path, file.read(kMaxConfigBytes).reveal(), (file.mode() & (S_IRWXG | S_IRWXO)) == 0};
}

ConfigFile read_named(const std::string& path, const std::string& origin) {
    if (!is_there(path))
        throw bk::Error(BK_E_NOT_FOUND, "no configuration file '" + path + "'",
                        "it was named by " + origin + "; bkhost init writes one");
    return read_file(path);
}

} // namespace

std::optional<std::string> xdg_path(const Environment& environment, const std::string& variable,
                                    const std::string& fallback, const std::string& name) {
    const std::string rest = "/bkhost/" + name;
    if (const auto folder = environment.text(variable); folder && folder->front() == '/')
        return *folder + rest;
    if (const auto home = environment.text("HOME")) return *home + "/" + fallback + rest;
    return std::nullopt;
}

std::string placed_path(const std::string& path, const std::string& folder,
                        const Environment& environment) {
    if (path == "~" || path.starts_with("~/")) {
        if (const auto home = environment.text("HOME")) return *home + path.substr(1);
        throw bk::Error(BK_E_CONFIG, "HOME is not set, so '" + path + "' cannot be expanded",
                        "write an absolute path");
    }
    if (path.starts_with('/') || folder.empty()) return path;
    return (std::filesystem::path(folder) / path).lexically_normal().string();
}

ConfigFile find_config_file(const std::optional<std::string>& named,
                            const Environment& environment) {
    if (named) return read_named(*named, "--config");
    if (const auto path = environment.text("BKHOST_CONFIG"))
        return read_named(*path, "BKHOST_CONFIG");
    if (is_there(kHere)) return read_file(kHere);
    if (const auto path = xdg_path(environment, "XDG_CONFIG_HOME", ".config", "bkhost.yaml");
        path && is_there(*path))
        return read_file(*path);
    const std::string system = "/etc/bkhost/bkhost.yaml";
    if (is_there(system)) return read_file(system);
    return {};
}

} // namespace bkhost
