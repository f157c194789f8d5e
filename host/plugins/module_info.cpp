// The form of the JSON is private to one version of the host: the cache carries a format number.
#include "host/plugins/module_info.hpp"

#include "core/base/text.hpp"
#include "host/plugins/module_check.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace bkhost {
namespace {

using nlohmann::json;

std::string text(const char* from) { return from != nullptr ? from : ""; }

OptionInfo describe_option(const bk_option& from) {
    OptionInfo option;
    option.key = from.key;
    // A type of a later minor: its values reach the driver as they were written.
    option.type = from.type <= BK_OPT_JSON ? from.type : uint32_t{BK_OPT_STRING};
    option.flags = from.flags;
    option.has_default = from.default_value != nullptr;
    option.default_value = text(from.default_value);
    option.allowed = text(from.allowed);
    option.help = text(from.help);
    return option;
}

json to_json(const DriverInfo& driver) {
    json options = json::array();
    for (const OptionInfo& option : driver.options)
        options.push_back(
            {{"key", option.key},
             {"type", option.type},
             {"flags", option.flags},
             {"default", option.has_default ? json(option.default_value) : json(nullptr)},
             {"allowed", option.allowed},
             {"help", option.help}});
    return {{"name", driver.name},
            {"interface", driver.interface_id},
            {"summary", driver.summary},
            {"schemes", driver.schemes},
            {"options", std::move(options)}};
}

DriverInfo driver_from(const json& from) {
    DriverInfo driver{
        from.at("name"), from.at("interface"), from.at("summary"), from.at("schemes"), {}};
    for (const json& entry : from.at("options")) {
        OptionInfo option;
        option.key = entry.at("key");
        option.type = entry.at("type");
        option.flags = entry.at("flags");
        option.has_default = !entry.at("default").is_null();
        if (option.has_default) option.default_value = entry.at("default");
        option.allowed = entry.at("allowed");
        option.help = entry.at("help");
        driver.options.push_back(std::move(option));
    }
    return driver;
}

std::vector<NoteDriver> sorted(std::vector<NoteDriver> drivers) {
    for (NoteDriver& driver : drivers)
        std::sort(driver.schemes.begin(), driver.schemes.end());
    std::sort(drivers.begin(), drivers.end());
    return drivers;
}

std::string differs(const char* what, const std::string& note, const std::string& code) {
    return note == code
               ? ""
               : "its note says " + std::string(what) + " '" + note + "', its code '" + code + "'";
}

} // namespace

ModuleInfo describe_module(const bk_module& module) {
    ModuleInfo info{module.abi_major,     module.abi_minor,     text(module.id),
                    text(module.version), text(module.summary), text(module.vendor),
                    text(module.license), text(module.url),     {}};
    for (uint32_t i = 0; i < module.component_count; ++i) {
        const bk_component& component = *module.components[i];
        DriverInfo driver{text(component.name),
                          text(component.interface_id),
                          text(component.summary),
                          split(text(component.schemes), ','),
                          {}};
        for (const bk_option* option : options_of(component))
            driver.options.push_back(describe_option(*option));
        info.drivers.push_back(std::move(driver));
    }
    return info;
}

std::string module_to_json(const ModuleInfo& module) {
    json drivers = json::array();
    for (const DriverInfo& driver : module.drivers)
        drivers.push_back(to_json(driver));
    const json whole{{"abi_major", module.abi_major},
                     {"abi_minor", module.abi_minor},
                     {"id", module.id},
                     {"version", module.version},
                     {"summary", module.summary},
                     {"vendor", module.vendor},
                     {"license", module.license},
                     {"url", module.url},
                     {"drivers", std::move(drivers)}};
    return whole.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<ModuleInfo> module_from_json(std::string_view text) {
    try {
        const json from = json::parse(text);
        ModuleInfo module{from.at("abi_major"), from.at("abi_minor"), from.at("id"),
                          from.at("version"),   from.at("summary"),   from.at("vendor"),
                          from.at("license"),   from.at("url"),       {}};
        for (const json& driver : from.at("drivers"))
            module.drivers.push_back(driver_from(driver));
        return module;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

std::string disagreement(const PluginNote& note, const ModuleInfo& module) {
    const auto abi = [](unsigned major, unsigned minor) {
        return std::to_string(major) + "." + std::to_string(minor);
    };
    std::vector<NoteDriver> drivers;
    for (const DriverInfo& driver : module.drivers)
        drivers.push_back({kind_of_interface(driver.interface_id), driver.name, driver.schemes});
    const std::string differences[] = {
        differs("ABI", abi(note.abi_major, note.abi_minor),
                abi(module.abi_major, module.abi_minor)),
        differs("module id", note.id, module.id), differs("version", note.version, module.version),
        sorted(drivers) == sorted(note.drivers) ? ""
                                                : "its note and its code list different drivers"};
    for (const std::string& difference : differences)
        if (!difference.empty()) return difference;
    return "";
}

} // namespace bkhost
