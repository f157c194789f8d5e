// Maps a plugin into this process and gets the description of its module: the only place that runs
// dlopen. Used by the scan's child and by the registry.
#pragma once

#include <bkhost/abi.h>

#include <string>

namespace bkhost {

/// Maps the file at this absolute path for good, calls its entry and checks the description. Throws
/// CONFIG when it cannot be loaded, has no entry of this ABI, or describes itself wrongly; the
/// message does not name the plugin. [any-thread]
[[nodiscard]] const bk_module& open_module(const std::string& path);

} // namespace bkhost
