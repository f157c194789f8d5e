#include "tests/damage/real_drivers.hpp"

#include "core/driver/codec.hpp"

#include <bkhost/error.hpp>

#include <filesystem>
#include <fstream>

namespace bkhost::test {

RealDrivers::RealDrivers()
    : plugins_({.cli_dirs = {BKHOST_TEST_PLUGINS},
                .log = log_,
                .user_dir = "",
                .system_dir = "",
                .build_tree_dir = "",
                .cache_file = ""}) {}

Registry& RealDrivers::of(std::string_view kind, std::string_view name) {
    if (kind == kStorage && name == "memory") return fakes_;
    return plugins_;
}

const DriverDescription& RealDrivers::describe(std::string_view kind, std::string_view name) {
    return of(kind, name).describe(kind, name);
}
const DriverDescription* RealDrivers::find_scheme(std::string_view kind, std::string_view scheme) {
    return plugins_.find_scheme(kind, scheme);
}
std::vector<std::string> RealDrivers::names(std::string_view kind) { return plugins_.names(kind); }
const bk_component& RealDrivers::load(std::string_view kind, std::string_view name) {
    return of(kind, name).load(kind, name);
}

std::string make_age_key(Registry& registry, const std::string& path) {
    const bk_component& age = registry.load(kEncryptor, "age");
    const auto& keys =
        *static_cast<const bk_encryptor_keys*>(age.get_extension(BK_ENCRYPTOR_KEYS_ID));
    TextCollector made, shown;
    bk_error error = bk::empty_error();
    if (const bk_status status = keys.generate(&TextCollector::add, &made, &error); status != BK_OK)
        bk::throw_error(status, error, "age");
    const std::string text = made.texts.at(0);
    if (const bk_status status =
            keys.public_keys(text.data(), text.size(), &TextCollector::add, &shown, &error);
        status != BK_OK)
        bk::throw_error(status, error, "age");
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
    return shown.texts.at(0);
}

} // namespace bkhost::test
