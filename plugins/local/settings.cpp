#include "settings.hpp"

#include <algorithm>
#include <charconv>

namespace local {
namespace {

/// `needed`: what the owner must be allowed, or the driver could not use what it made.
mode_t parse_mode(const bk::Config& config, const char* key, mode_t needed) {
    const std::string text = config.text(key);
    unsigned mode = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (code != std::errc{} || end != text.data() + text.size() || mode > 0777)
        throw bk::Error(BK_E_CONFIG,
                        "option '" + std::string(key) + "': '" + text + "' is not an octal mode",
                        "write it like 0600 or 0750");
    if ((mode & needed) != needed)
        throw bk::Error(BK_E_CONFIG, "option '" + std::string(key) + "': '" + text +
                                         "' takes the owner's own access away");
    return mode;
}

/// What follows "file:" may be a URL's "///var/backups"; "//name/…" would name another machine.
std::string parse_path(std::string path) {
    if (path.empty()) throw bk::Error(BK_E_CONFIG, "option 'path' is empty");
    if (path.find('\0') != std::string::npos)
        throw bk::Error(BK_E_CONFIG, "option 'path' holds a NUL");
    const size_t slashes = std::min(path.find_first_not_of('/'), path.size());
    if (slashes == 2 && path.size() > 2)
        throw bk::Error(BK_E_CONFIG, "option 'path': '" + path + "' names a host",
                        "write one slash (file:/var/backups) or three (file:///var/backups)");
    if (slashes > 1) path.erase(0, slashes - 1);
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

} // namespace

Settings read_settings(const bk::Config& config) {
    Settings settings;
    settings.path = parse_path(config.text("path"));
    settings.create = config.flag("create");
    settings.require_marker = config.flag("require-marker");
    settings.fsync = config.flag("fsync");
    settings.file_mode = parse_mode(config, "file-mode", 0600);
    settings.dir_mode = parse_mode(config, "dir-mode", 0700);
    return settings;
}

} // namespace local
