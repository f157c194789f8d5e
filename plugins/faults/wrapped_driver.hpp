// The driver inside: another plugin, loaded through the public ABI, with options of its own.
#pragma once

#include <bkhost/plugin.hpp>
#include <bkhost/testing/fake_config.hpp>

#include <memory>

namespace faults {

/// Immutable. The plugin stays loaded, as every plugin does.
class WrappedDriver {
public:
    /// As the options `plugin`, `driver-name` and `options` say; where the first is absent, as the
    /// environment variable does ("PLUGIN:DRIVER"). Throws CONFIG.
    WrappedDriver(bk::Config config, const char* interface_id, const char* variable);

    template <class Table>
    [[nodiscard]] const Table& table() const noexcept {
        return *static_cast<const Table*>(component_->vtable);
    }
    template <class Table>
    [[nodiscard]] const Table* extension(const char* id) const noexcept {
        return component_->get_extension == nullptr
                   ? nullptr
                   : static_cast<const Table*>(component_->get_extension(id));
    }
    [[nodiscard]] const bk_config* config() const noexcept { return config_->get(); }

private:
    const bk_component* component_;
    std::unique_ptr<const bk::FakeConfig> config_;
};

/// An extension of the driver that the environment variable names; nullptr without one.
[[nodiscard]] const void* extension_by_variable(const char* variable, const char* interface_id,
                                                const char* id) noexcept;

} // namespace faults
