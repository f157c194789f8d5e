// How core gets at drivers: the interface that the host's loader implements (and a table in tests).
#pragma once

#include "core/driver/options.hpp"

#include <bkhost/abi.h>

#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// The kinds, as they stand in configuration, notes and messages.
inline constexpr std::string_view kDumper = "dumper";
inline constexpr std::string_view kCompressor = "compressor";
inline constexpr std::string_view kEncryptor = "encryptor";
inline constexpr std::string_view kStorage = "storage";
inline constexpr std::string_view kSanitizer = "sanitizer";

/// What is known of a driver without running it in this process.
struct DriverDescription {
    std::string kind; ///< "storage"
    std::string name; ///< "local"
    std::string interface_id;
    std::string summary;
    std::vector<std::string> schemes;
    std::vector<OptionInfo> options;
    std::string module_id, module_version;
    std::string plugin_path;
};

/// A driver and how to configure it: what a configuration block or a short form comes down to.
struct DriverSpec {
    std::string driver; ///< name
    OptionText options;
};

/// Thread-safe.
class Registry {
public:
    virtual ~Registry() = default;
    /// Throws CONFIG when no such driver is installed; the message names the nearest one and where
    /// was searched. Loads nothing.
    [[nodiscard]] virtual const DriverDescription& describe(std::string_view kind,
                                                            std::string_view name) = 0;
    /// The driver of that kind that declares the URL scheme, or nullptr.
    [[nodiscard]] virtual const DriverDescription* find_scheme(std::string_view kind,
                                                               std::string_view scheme) = 0;
    [[nodiscard]] virtual std::vector<std::string> names(std::string_view kind) = 0;
    /// Loads the plugin if need be (it is never unloaded) and gives the driver. Throws as describe,
    /// and CONFIG with the reason when the plugin cannot be loaded.
    [[nodiscard]] virtual const bk_component& load(std::string_view kind,
                                                   std::string_view name) = 0;
};

} // namespace bkhost
