// What a module says of itself, as values of our own: copied from the mapped plugin, carried as
// JSON from the scan's child and through the cache, and compared with the note.
#pragma once

#include "core/driver/options.hpp"
#include "host/plugins/note_reader.hpp"

#include <bkhost/abi.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

struct DriverInfo {
    std::string name, interface_id, summary;
    std::vector<std::string> schemes;
    std::vector<OptionInfo> options;
};

struct ModuleInfo {
    uint16_t abi_major = 0, abi_minor = 0;
    std::string id, version, summary, vendor, license, url;
    std::vector<DriverInfo> drivers;
};

/// Of a module without a module_problem.
[[nodiscard]] ModuleInfo describe_module(const bk_module& module);

/// One line of JSON; bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string module_to_json(const ModuleInfo& module);
/// Nothing when the text is not what module_to_json writes.
[[nodiscard]] std::optional<ModuleInfo> module_from_json(std::string_view text);

/// Where the module's code and its note say different things, or "".
[[nodiscard]] std::string disagreement(const PluginNote& note, const ModuleInfo& module);

} // namespace bkhost
