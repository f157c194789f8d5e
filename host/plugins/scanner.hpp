// Learns what a plugin offers by loading it in a child process with a time limit. The child's side
// is scan_main.
#pragma once

#include "host/plugins/module_info.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace bkhost {

/// What the child writes before it touches the plugin.
inline constexpr std::string_view kScanGreeting = "bkhost-scan 1\n";

struct ScanResult {
    std::optional<ModuleInfo> module; ///< or a problem
    std::string problem, hint;
    /// The answer holds until the file changes; false when that is not sure, and asking again is
    /// safe.
    bool lasting = true;
};

/// Runs "executable --bk-scan path" and waits for it. Never throws for what the plugin does.
/// [any-thread]
[[nodiscard]] ScanResult scan_plugin(const std::string& executable, const std::string& path,
                                     std::chrono::milliseconds limit);

} // namespace bkhost
