// Directories below the root: opened part by part without following a symbolic link, made, synced,
// read and removed when empty. Knows nothing of objects.
#pragma once

#include "file.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace local {

using Folders = std::span<const std::string>;

/// "<root>/a/b" for messages.
[[nodiscard]] std::string shown_path(const std::string& root_path, Folders folders,
                                     const std::string& name = {});

/// "<root>/a/b", also for "a/b/" and "".
[[nodiscard]] std::string shown_path(const std::string& root_path, std::string_view below);

/// What lies below a root directory that is open. A view of the descriptor. Thread-safe.
struct Tree {
    int root;
    std::string path; ///< for messages

    /// Empty when one of the directories is absent (or is a file). Throws DENIED for a symbolic
    /// link.
    [[nodiscard]] Descriptor open(Folders folders) const;

    /// Opens and makes. Empty when somebody removed one of them in between: try again. Lowers
    /// `kept` to the number of directories above the first that was made.
    [[nodiscard]] Descriptor make(Folders folders, mode_t mode, size_t& kept) const;

    /// Removes the directories from the innermost outwards while they are empty, but not the first
    /// `keep` ones. Gives how many remain.
    size_t remove_empty(Folders folders, size_t keep) const;

    /// Makes the entries of all the directories durable, from the root's inwards.
    void sync(Folders folders) const;
};

enum class EntryType { file, folder, link, other };

/// Calls for each entry but "." and "..", in no order. Entries that vanish meanwhile are left out.
/// Throws when the directory cannot be read to its end.
void for_each_entry(int folder, const std::string& path,
                    const std::function<void(const char* name, EntryType)>& visit);

} // namespace local
