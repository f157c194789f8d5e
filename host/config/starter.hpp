// The configuration that `bkhost init` writes for a beginner to edit.
#pragma once

#include <string>
#include <string_view>

namespace bkhost {

/// The text: commented, and valid once the path of the database is that of a real one.
[[nodiscard]] std::string_view starter_text() noexcept;

/// Writes it as a new file, readable by its owner only. Throws EXISTS when there is a file already
/// (which stays as it is), DENIED, NO_SPACE and so on when it cannot be written.
void write_starter(const std::string& path);

} // namespace bkhost
