// The one-line forms of the command line: "postgres://bk@localhost/shop", "zstd:9", "/var/backups".
// A whole configuration file is host/config's.
#pragma once

#include "core/driver/registry.hpp"

#include <string>
#include <string_view>

namespace bkhost {

/// What one line says about a driver of `kind`. The forms:
///   scheme://[user@]host[:port]/path?key=value&…  percent-decoded; no password
///   scheme:///path, scheme:rest[?key=value&…]     rest goes to the option that takes it, or
///                                                 scheme:key=value,key=value
///   name                                          the driver with its defaults
///   path                                          dumper and storage: as scheme "file"
/// The options are known to exist, but their values are not checked: OptionValues does that.
/// Throws CONFIG; the message never holds a password.
[[nodiscard]] DriverSpec parse_location(Registry& registry, std::string_view kind,
                                        std::string_view text);

/// A short form to print: "local:/var/backups", "postgres:shop on localhost". Never holds a secret,
/// and need not be readable by parse_location.
[[nodiscard]] std::string location_text(const DriverSpec& spec, const DriverDescription& driver);

} // namespace bkhost
