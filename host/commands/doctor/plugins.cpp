#include "host/commands/doctor/checks.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace bkhost {
namespace {

using DriverKeys = std::set<std::pair<std::string, std::string>>; // kind and name

DriverKeys needed(const Config& config, const DoctorScope& scope) {
    DriverKeys keys;
    for (const SourceConfig& source : scope.sources)
        keys.emplace(kDumper, source.block.driver);
    for (const StorageConfig& storage : scope.storages)
        keys.emplace(kStorage, storage.block.driver);
    for (const JobConfig& job : scope.jobs) {
        if (job.compress) keys.emplace(kCompressor, job.compress->driver);
        if (job.encrypt) keys.emplace(kEncryptor, job.encrypt->driver);
    }
    for (const Block& block : config.decrypt)
        keys.emplace(kEncryptor, block.driver);
    return keys;
}

void look_at(const PluginInfo& plugin, const DriverKeys& keys, DoctorReport& report) {
    const std::string object = "plugin '" + plugin.path + "'";
    const bool in_need = std::ranges::any_of(plugin.drivers, [&](const DriverDescription& driver) {
        return keys.contains({driver.kind, driver.name});
    });
    const std::string text =
        "is " + std::string(plugin_state_name(plugin.state)) + ": " + plugin.reason;
    switch (plugin.state) {
    case PluginState::ok:
        for (const auto& [driver, winner] : plugin.shadowed_drivers)
            report.warn(object, "its driver " + driver + " is shadowed by '" + winner + "'",
                        "remove the one that is not meant");
        break;
    case PluginState::shadowed:
        report.warn(object, text, "remove the one that is not meant");
        break;
    case PluginState::broken:
    case PluginState::refused:
        if (in_need)
            report.fail(object, text, "install it again, for its drivers are in use here");
        else
            report.warn(object, text, "install it again, or remove it");
    }
}

} // namespace

void check_plugins(Session& session, const DoctorScope& scope, DoctorReport& report) {
    const DriverKeys keys = needed(session.config(), scope);
    size_t usable = 0, drivers = 0;
    for (const PluginInfo& plugin : session.registry().plugins()) {
        look_at(plugin, keys, report);
        if (plugin.state != PluginState::ok) continue;
        ++usable;
        drivers += plugin.drivers.size() - plugin.shadowed_drivers.size();
    }
    if (drivers > 0)
        report.ok("plugins",
                  std::to_string(usable) + " plugins with " + std::to_string(drivers) + " drivers");
    else
        report.fail("plugins", "no driver is installed",
                    "see 'bkhost plugin list', and name a folder with --plugin-dir");
}

} // namespace bkhost
