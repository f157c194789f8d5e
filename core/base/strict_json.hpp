// What FORMAT.md asks of JSON and the parser's own conversions do not: whole numbers (not -1, 1.5
// or true), lists that are lists, and values that are not nested without end.
#pragma once

#include <bkhost/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace bkhost {

inline constexpr unsigned kMaxJsonDepth = 100;

/// Throws CORRUPT when lists and objects are nested deeper than that: whoever writes such a value
/// again needs a stack as deep. `text` need not be JSON.
void check_json_depth(std::string_view text);

/// The JSON types are templates, so that their header stays in .cpp files. All throw CORRUPT.
template <class Json>
[[nodiscard]] uint64_t whole_number(const Json& json, uint64_t most = INT64_MAX) {
    if (!json.is_number_unsigned() || json.template get<uint64_t>() > most)
        throw bk::Error(BK_E_CORRUPT, json.dump().substr(0, 40) +
                                          " stands where a whole number up to " +
                                          std::to_string(most) + " belongs");
    return json.template get<uint64_t>();
}
template <class Json>
[[nodiscard]] uint32_t small_number(const Json& json) {
    return static_cast<uint32_t>(whole_number(json, UINT32_MAX));
}
template <class Json>
[[nodiscard]] const Json& json_list(const Json& json) {
    if (!json.is_array())
        throw bk::Error(BK_E_CORRUPT, json.dump().substr(0, 40) + " stands where a list belongs");
    return json;
}

} // namespace bkhost
