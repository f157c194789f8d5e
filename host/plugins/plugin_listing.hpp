// `plugin list` and `plugin show` as texts, from what the registry found. No file is read here.
#pragma once

#include "host/plugins/plugin_registry.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

enum class ListingForm { text, json };

/// `plugin list [--broken] [--json]`: every driver with its plugin, then the plugins that cannot be
/// used and why; with broken_only those alone. Ends in a newline.
[[nodiscard]] std::string plugin_list(const std::vector<PluginInfo>& plugins, bool broken_only,
                                      ListingForm form);

/// `plugin show NAME [--json]`: NAME is a driver ("s3"), "kind:driver" ("storage:s3"), a module id
/// or the path of a plugin. With the reference of each driver's options. Throws CONFIG when nothing
/// has that name.
[[nodiscard]] std::string plugin_show(const std::vector<PluginInfo>& plugins, std::string_view name,
                                      ListingForm form);

} // namespace bkhost
