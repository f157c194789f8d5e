// plugins.lock: the SHA-256 of each file that a plugin directory may hold. Lines as sha256sum(1)
// writes them; once the file is there, only what it lists is accepted.
#pragma once

#include "host/plugins/plugin_file.hpp"

#include <map>
#include <optional>
#include <string>

namespace bkhost {

/// An immutable value.
class LockFile {
public:
    /// Of that directory; nothing when it has none. A lock that cannot be read or parsed refuses
    /// every plugin beside it.
    [[nodiscard]] static std::optional<LockFile> find(const std::string& directory,
                                                      bool privileged);
    /// Why the file of that name is not accepted, or "". Reads all of it.
    [[nodiscard]] std::string refusal(const std::string& name, const PluginFile& file) const;

private:
    std::map<std::string, std::string> sums_; ///< file name -> hex
    std::string problem_;
};

} // namespace bkhost
