// The drivers that are shipped, loaded as the host loads them, beside the storage `memory` of
// core/testing. For tests only.
#pragma once

#include "core/testing/fake_drivers.hpp"
#include "host/plugins/plugin_registry.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace bkhost::test {

/// Thread-safe. One a process, as the loader's registry; destroying it forgets the memory stores.
class RealDrivers final : public Registry {
public:
    RealDrivers();
    const DriverDescription& describe(std::string_view kind, std::string_view name) override;
    const DriverDescription* find_scheme(std::string_view kind, std::string_view scheme) override;
    std::vector<std::string> names(std::string_view kind) override;
    const bk_component& load(std::string_view kind, std::string_view name) override;

private:
    Registry& of(std::string_view kind, std::string_view name);

    NullLog log_;
    FakeRegistry fakes_;
    PluginRegistry plugins_;
};

/// A new key file of the encryptor `age` at that path; gives the public key.
[[nodiscard]] std::string make_age_key(Registry& registry, const std::string& path);

} // namespace bkhost::test
