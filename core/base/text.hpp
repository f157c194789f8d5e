// Texts that people read and write: sizes, durations, hex, and the nearest of some names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// "1.5 MiB": three significant digits, binary units.
[[nodiscard]] std::string format_bytes(uint64_t bytes);
/// "2m05s", "340ms", "3.2s", "1h02m".
[[nodiscard]] std::string format_duration(int64_t milliseconds);
/// As parse_duration reads it, nothing left out: "2h", "1h30m", "250ms"; "0s" for none.
[[nodiscard]] std::string exact_duration(int64_t milliseconds);
/// Bytes of "4096", "64KiB", "8 MiB", "1GB" (decimal), "2g" (binary); nothing when it is not a size
/// or does not fit.
[[nodiscard]] std::optional<uint64_t> parse_size(std::string_view text);
/// Milliseconds of "250ms", "60s", "5m", "2h", "7d", "1h30m"; nothing when it is not a duration.
[[nodiscard]] std::optional<int64_t> parse_duration(std::string_view text);
/// A whole decimal number, sign allowed, nothing around it.
[[nodiscard]] std::optional<int64_t> parse_int(std::string_view text);

[[nodiscard]] std::string to_hex(std::span<const uint8_t> bytes);
/// Nothing when a character is not a hex digit or the length is odd.
[[nodiscard]] std::optional<std::vector<uint8_t>> from_hex(std::string_view hex);

/// The candidate that is most like `name` (edit distance at most a third of its length), or "".
[[nodiscard]] std::string nearest(std::string_view name,
                                  const std::vector<std::string>& candidates);
/// "a, b and c"
[[nodiscard]] std::string join(const std::vector<std::string>& items,
                               std::string_view separator = ", ");
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
/// The names of `users, "a, b", "say ""hi"""`: by comma, blanks around them left out; in double
/// quotes, inner ones doubled, a name may hold anything. Nothing when a name is empty or a quote is
/// not closed; no names when the text is "".
[[nodiscard]] std::optional<std::vector<std::string>> split_names(std::string_view text);

} // namespace bkhost
