// Texts as a terminal shows them: how wide they are, and made harmless. No file descriptors here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bkhost {

/// The text with everything that could steer a terminal or hide content made visible: control
/// characters as "\n", "\t", "\x1b", bytes that are not UTF-8 as "\xff", and the characters that
/// change the direction or the line ("\u{202e}"). The rest, a backslash too, stays as it is.
[[nodiscard]] std::string escape_terminal(std::string_view text);

/// As escape_terminal, but line feeds stay; lines after the first are indented by `indent`, and
/// line feeds at the end are dropped.
[[nodiscard]] std::string escape_lines(std::string_view text, std::string_view indent = "  ");

/// Columns that an escaped text takes: 2 for wide characters (CJK, emoji), 0 for combining ones.
[[nodiscard]] size_t display_width(std::string_view text);

/// The longest beginning of an escaped text that takes at most `width` columns.
[[nodiscard]] std::string_view cut_to_width(std::string_view text, size_t width);

} // namespace bkhost
