// The host's rules for options are taken from the fakes of the SDK.
#include "wrapped_driver.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <dlfcn.h>

namespace faults {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

bk::FakeConfig::Values parse_options(const std::string& text) {
    const Json options = Json::parse(text, nullptr, false);
    if (!options.is_object())
        throw bk::Error(BK_E_CONFIG, "option 'options': not a JSON object",
                        R"(write {"path":"/var/backups"})");
    bk::FakeConfig::Values values;
    for (const auto& [key, value] : options.items()) {
        std::vector<std::string>& texts = values[key];
        if (value.is_array())
            for (const Json& one : value)
                texts.push_back(text_of(one));
        else
            texts.push_back(text_of(value));
    }
    return values;
}

struct Named {
    std::string plugin, driver;
};

Named from_variable(const char* variable) {
    const char* value = variable != nullptr ? std::getenv(variable) : nullptr;
    const std::string text = value != nullptr ? value : "";
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos) return {};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

const bk_module& open_plugin(const std::string& path) {
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
        throw bk::Error(BK_E_CONFIG, std::string("cannot load the wrapped plugin: ") + ::dlerror());
    void* symbol = ::dlsym(handle, BK_ENTRY_NAME);
    if (symbol == nullptr)
        throw bk::Error(BK_E_CONFIG, "'" + path + "' is no plugin: it has no " BK_ENTRY_NAME);
    const bk_module& module = *reinterpret_cast<bk_module_fn>(symbol)();
    if (module.init != nullptr) // once a process, and the host may have done it
        throw bk::Error(BK_E_UNSUPPORTED, "'" + path + "' needs init, so it cannot be wrapped");
    return module;
}

const bk_component& find_driver(const Named& named, std::string_view interface_id) {
    const bk_module& module = open_plugin(named.plugin);
    for (uint32_t i = 0; i < module.component_count; ++i) {
        const bk_component& component = *module.components[i];
        if (component.name != named.driver || component.interface_id != interface_id) continue;
        if (component.thread_model != BK_THREADS_PARALLEL)
            throw bk::Error(BK_E_UNSUPPORTED, "'" + named.driver +
                                                  "' needs the host's locks, so it cannot be "
                                                  "wrapped");
        return component;
    }
    throw bk::Error(BK_E_CONFIG, "'" + named.plugin + "' has no driver '" + named.driver +
                                     "' of the kind " + std::string(interface_id));
}

} // namespace

WrappedDriver::WrappedDriver(bk::Config config, const char* interface_id, const char* variable) {
    const Named named = config.has("plugin")
                            ? Named{config.text("plugin"), config.text("driver-name")}
                            : from_variable(variable);
    if (named.plugin.empty())
        throw bk::Error(BK_E_CONFIG, "faulty: no driver to wrap",
                        "give it the options 'plugin' and 'driver-name'");
    component_ = &find_driver(named, interface_id);
    config_ = std::make_unique<bk::FakeConfig>(parse_options(config.text("options")), *component_);
}

const void* extension_by_variable(const char* variable, const char* interface_id,
                                  const char* id) noexcept {
    const void* table = nullptr;
    (void)bk::guard(nullptr, [&] {
        const Named named = from_variable(variable);
        if (named.plugin.empty()) return BK_OK;
        const bk_component& component = find_driver(named, interface_id);
        if (component.get_extension != nullptr) table = component.get_extension(id);
        return BK_OK;
    });
    return table;
}

} // namespace faults
