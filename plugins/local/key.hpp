// Keys: which ones this storage takes, and their parts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace local {

/// The file in the root that tells a storage from an empty mount point.
inline constexpr const char* kMarker = ".bkhost-storage";
/// What mkfs puts into the root of a file system; never part of the storage.
inline constexpr const char* kLostAndFound = "lost+found";
inline constexpr size_t kMaxKey = 1024;
inline constexpr size_t kMaxPart = 255;

[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// True for names that uploads in progress have: ".….part". No object has such a name.
[[nodiscard]] bool is_temp_name(std::string_view name) noexcept;

/// A key that was checked. Immutable, thread-safe.
class Key {
public:
    /// Throws INVALID for what storage.h forbids, for a part over 255 bytes and for reserved names.
    explicit Key(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The directories, outermost first.
    [[nodiscard]] const std::vector<std::string>& folders() const noexcept { return folders_; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string text_, name_;
    std::vector<std::string> folders_;
};

/// The directories that a prefix names whole: "a/b/c" gives a, b. Throws INVALID when no key can
/// begin so.
[[nodiscard]] std::vector<std::string> folders_of_prefix(std::string_view prefix);

} // namespace local
