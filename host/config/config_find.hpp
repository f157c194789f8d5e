// Where the configuration file is, and its content. Does not parse it.
#pragma once

#include "host/config/environment.hpp"

#include <optional>
#include <string>

namespace bkhost {

struct ConfigFile {
    std::string path; ///< "" : none was found
    std::string text;
    bool owner_only = false; ///< nobody but the owner can read it
};

/// The search order of README.md. Throws NOT_FOUND when a named file is not there, DENIED for one
/// that cannot be read or that others may write to, CONFIG for one that is too long or a folder.
[[nodiscard]] ConfigFile find_config_file(const std::optional<std::string>& named,
                                          const Environment& environment);

/// "<value of `variable`>/bkhost/<name>", "<home>/<fallback>/bkhost/<name>" when it is not set or
/// not absolute, or nothing when there is no home folder either.
[[nodiscard]] std::optional<std::string> xdg_path(const Environment& environment,
                                                  const std::string& variable,
                                                  const std::string& fallback,
                                                  const std::string& name);

/// `path` with ~/ expanded and, when it is relative, put behind `folder`. Throws CONFIG when there
/// is no home folder.
[[nodiscard]] std::string placed_path(const std::string& path, const std::string& folder,
                                      const Environment& environment);

} // namespace bkhost
