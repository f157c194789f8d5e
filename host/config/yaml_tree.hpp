// A configuration file as a small tree of texts with line numbers. Knows YAML and ${NAME}; does not
// know what the keys mean.
#pragma once

#include "host/config/environment.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// One value of the file. Confined as any value.
struct ConfigValue {
    enum class Type { null, boolean, number, string, sequence, map };
    struct Entry; // key and value of a map

    Type type = Type::null;
    std::string text;               ///< of a scalar, as written, ${NAME} expanded
    bool expanded = false;          ///< came in part from the environment: do not print it
    std::vector<ConfigValue> items; ///< of a sequence
    std::vector<Entry> entries;     ///< of a map, in the order of the file
    int line = 0;                   ///< from 1

    [[nodiscard]] bool is_scalar() const noexcept { return type < Type::sequence; }
    [[nodiscard]] bool is_map() const noexcept { return type == Type::map; }
    [[nodiscard]] bool is_sequence() const noexcept { return type == Type::sequence; }
};

struct ConfigValue::Entry {
    std::string key;
    int line = 0;
    ConfigValue value;
};

inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;
inline constexpr size_t kMaxConfigDepth = 64;
inline constexpr size_t kMaxConfigValues = 100'000; ///< after aliases are followed

/// Parses one YAML (or JSON) document. An empty one is a null value. `name` stands in messages.
/// Throws CONFIG, message "<name>:<line>: what": not UTF-8, not YAML, a duplicate key, a tag, an
/// alias to itself, a key that is no text, a limit above, a second document, an unset variable.
[[nodiscard]] ConfigValue parse_yaml(std::string_view text, const std::string& name,
                                     const Environment& environment);

/// The value as JSON, for options of type JSON.
[[nodiscard]] std::string to_json(const ConfigValue& value);

} // namespace bkhost
