// Tables and fields come from host/render, which escapes what plugins say of themselves; JSON is as
// it is.
#include "host/plugins/plugin_listing.hpp"

#include "core/base/text.hpp"
#include "host/render/table.hpp"

#include <bkhost/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace bkhost {
namespace {

using nlohmann::ordered_json;

bool is_broken(const PluginInfo& plugin) {
    return plugin.state == PluginState::broken || plugin.state == PluginState::refused;
}

/// "org.bkhost.s3 0.1.0"
std::string module_name(const std::string& id, const std::string& version) {
    return version.empty() ? id : id + " " + version;
}

// ---- JSON ----

ordered_json to_json(const OptionInfo& option) {
    const auto flag = [&](uint32_t bit) { return (option.flags & bit) != 0; };
    return {{"key", option.key},
            {"type", option_type_name(option.type)},
            {"required", flag(BK_OPT_REQUIRED)},
            {"repeated", flag(BK_OPT_REPEATED)},
            {"advanced", flag(BK_OPT_ADVANCED)},
            {"deprecated", flag(BK_OPT_DEPRECATED)},
            {"default", option.has_default && option.type != BK_OPT_SECRET
                            ? ordered_json(option.default_value)
                            : ordered_json()},
            {"allowed", option.allowed.empty() ? ordered_json() : ordered_json(option.allowed)},
            {"help", option.help}};
}

ordered_json to_json(const DriverDescription& driver) {
    ordered_json options = ordered_json::array();
    for (const OptionInfo& option : driver.options)
        options.push_back(to_json(option));
    return {{"kind", driver.kind},
            {"name", driver.name},
            {"interface", driver.interface_id},
            {"summary", driver.summary},
            {"schemes", driver.schemes},
            {"options", std::move(options)}};
}

ordered_json to_json(const PluginInfo& plugin) {
    ordered_json drivers = ordered_json::array();
    for (const DriverDescription& driver : plugin.drivers)
        drivers.push_back(to_json(driver));
    return {{"path", plugin.path},           {"state", plugin_state_name(plugin.state)},
            {"reason", plugin.reason},       {"id", plugin.id},
            {"version", plugin.version},     {"abi", plugin.abi},
            {"summary", plugin.summary},     {"vendor", plugin.vendor},
            {"license", plugin.license},     {"url", plugin.url},
            {"drivers", std::move(drivers)}, {"shadowed_drivers", plugin.shadowed_drivers}};
}

std::string document(const std::vector<const PluginInfo*>& plugins) {
    ordered_json all = ordered_json::array();
    for (const PluginInfo* plugin : plugins)
        all.push_back(to_json(*plugin));
    return ordered_json{{"plugins", std::move(all)}}.dump(2, ' ', false,
                                                          ordered_json::error_handler_t::replace) +
           "\n";
}

// ---- text ----

std::string driver_table(const std::vector<PluginInfo>& plugins) {
    std::vector<const DriverDescription*> drivers;
    for (const PluginInfo& plugin : plugins)
        for (const DriverDescription& driver : plugin.drivers)
            if (plugin.state == PluginState::ok &&
                !plugin.shadowed_drivers.contains(driver.kind + ":" + driver.name))
                drivers.push_back(&driver);
    if (drivers.empty()) return "no driver is installed\n";
    std::sort(drivers.begin(), drivers.end(), [](const auto* a, const auto* b) {
        return std::pair(a->kind, a->name) < std::pair(b->kind, b->name);
    });
    Table table({{"KIND"}, {"DRIVER"}, {"SUMMARY"}, {"PLUGIN"}});
    for (const DriverDescription* driver : drivers)
        table.add({driver->kind, driver->name, driver->summary,
                   module_name(driver->module_id, driver->module_version)});
    return table.text();
}

/// Whole plugins, and with `all` shadowed ones too.
std::string unused_table(const std::vector<PluginInfo>& plugins, bool all) {
    Table table({{"STATE"}, {"PLUGIN"}, {"REASON"}});
    for (const PluginInfo& plugin : plugins) {
        if (is_broken(plugin) || (all && plugin.state == PluginState::shadowed))
            table.add({plugin_state_name(plugin.state), plugin.path, plugin.reason});
        if (!all || plugin.state != PluginState::ok) continue;
        for (const auto& [driver, winner] : plugin.shadowed_drivers)
            table.add({"shadowed", plugin.path, driver + " comes from '" + winner + "'"});
    }
    return table.empty() ? "" : table.text();
}

void append_options(std::string& out, const DriverDescription& driver, bool advanced) {
    std::vector<Field> fields;
    for (const OptionInfo& option : driver.options) {
        if (((option.flags & BK_OPT_ADVANCED) != 0) != advanced) continue;
        fields.push_back({option.key, describe(option)});
        if (!option.help.empty()) fields.push_back({"", option.help});
    }
    if (fields.empty()) return;
    out += advanced ? "\nadvanced options\n" : "\noptions\n";
    out += format_fields(fields);
}

std::string driver_text(const PluginInfo& plugin, const DriverDescription& driver) {
    std::vector<Field> fields{{driver.kind + " driver", driver.name}};
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) fields.push_back({name, value});
    };
    add("summary", driver.summary);
    add("schemes", join(driver.schemes));
    add("interface", driver.interface_id);
    add("plugin", module_name(plugin.id, plugin.version));
    add("file", plugin.path);
    if (plugin.state != PluginState::ok) add(plugin_state_name(plugin.state), plugin.reason);
    if (const auto winner = plugin.shadowed_drivers.find(driver.kind + ":" + driver.name);
        winner != plugin.shadowed_drivers.end())
        add("shadowed", "it comes from '" + winner->second + "'");
    std::string out = format_fields(fields);
    append_options(out, driver, false);
    append_options(out, driver, true);
    return out;
}

std::string module_text(const PluginInfo& plugin) {
    std::vector<Field> fields{
        {"plugin", plugin.id.empty() ? plugin.path : module_name(plugin.id, plugin.version)}};
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) fields.push_back({name, value});
    };
    add("summary", plugin.summary);
    add("vendor", plugin.vendor);
    add("license", plugin.license);
    add("url", plugin.url);
    add("file", plugin.path);
    add("abi", plugin.abi);
    add("state", plugin_state_name(plugin.state));
    add("reason", plugin.reason);
    std::string out = format_fields(fields);
    for (const DriverDescription& driver : plugin.drivers)
        out.append(1, '\n').append(driver_text(plugin, driver));
    return out;
}

// ---- what a name means ----

bool is_named(const DriverDescription& driver, std::string_view name) {
    return driver.name == name || driver.kind + ":" + driver.name == name;
}

/// Those of the name, each with what was asked for: the whole module or some of its drivers.
struct Match {
    const PluginInfo* plugin;
    std::vector<const DriverDescription*> drivers; ///< empty: the whole module
};

std::vector<Match> matches(const std::vector<PluginInfo>& plugins, std::string_view name) {
    std::vector<Match> found;
    for (const PluginInfo& plugin : plugins) {
        if (plugin.path == name || (!plugin.id.empty() && plugin.id == name)) {
            found.push_back({&plugin, {}});
            continue;
        }
        Match match{&plugin, {}};
        for (const DriverDescription& driver : plugin.drivers)
            if (is_named(driver, name)) match.drivers.push_back(&driver);
        if (!match.drivers.empty()) found.push_back(std::move(match));
    }
    return found;
}

bk::Error not_found(const std::vector<PluginInfo>& plugins, std::string_view name) {
    std::vector<std::string> known;
    for (const PluginInfo& plugin : plugins) {
        if (!plugin.id.empty()) known.push_back(plugin.id);
        for (const DriverDescription& driver : plugin.drivers) {
            known.push_back(driver.name);
            known.push_back(driver.kind + ":" + driver.name);
        }
    }
    const std::string like = nearest(name, known);
    return {BK_E_CONFIG, "no driver or plugin '" + std::string(name) + "' is installed",
            (like.empty() ? "" : "did you mean '" + like + "'? ") + "see 'bkhost plugin list'"};
}

} // namespace

std::string plugin_list(const std::vector<PluginInfo>& plugins, bool broken_only,
                        ListingForm form) {
    if (form == ListingForm::json) {
        std::vector<const PluginInfo*> shown;
        for (const PluginInfo& plugin : plugins)
            if (!broken_only || is_broken(plugin)) shown.push_back(&plugin);
        return document(shown);
    }
    const std::string unused = unused_table(plugins, !broken_only);
    if (broken_only) return unused.empty() ? "no plugin is broken or refused\n" : unused;
    return driver_table(plugins) + (unused.empty() ? "" : "\n" + unused);
}

std::string plugin_show(const std::vector<PluginInfo>& plugins, std::string_view name,
                        ListingForm form) {
    const std::vector<Match> found = matches(plugins, name);
    if (found.empty()) throw not_found(plugins, name);
    if (form == ListingForm::json) {
        std::vector<const PluginInfo*> shown;
        for (const Match& match : found)
            shown.push_back(match.plugin);
        return document(shown);
    }
    std::string out;
    const auto append = [&](const std::string& block) { out += (out.empty() ? "" : "\n") + block; };
    for (const Match& match : found) {
        if (match.drivers.empty()) append(module_text(*match.plugin));
        for (const DriverDescription* driver : match.drivers)
            append(driver_text(*match.plugin, *driver));
    }
    return out;
}

} // namespace bkhost
