// The file that an upload writes to before it gets its name: ".NAME.PID-RANDOM.part", locked with
// flock as long as its upload lives. A file of that form without a lock is left from a crash.
#pragma once

#include "tree.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace local {

/// A fresh name for a file that will be called `final_name`, which is cut when it is very long.
[[nodiscard]] std::string make_temp_name(std::string_view final_name);

/// The final name (cut, as above) that a temporary name was made for; nothing for any other name.
[[nodiscard]] std::optional<std::string_view> target_of_temp(std::string_view name);

/// Takes the lock if nobody has it. Throws where the file system has no locks.
[[nodiscard]] bool try_lock(int fd, const std::string& path);

/// Confined to one thread; descriptors are closed, and the lock let go, by the destructor, which
/// leaves the file where it is.
struct TempFile {
    Descriptor file; ///< empty: the directory was removed meanwhile
    std::string name;
};

/// Makes and locks one. `shown` is the path of the directory, for messages.
[[nodiscard]] TempFile make_temp_file(int folder, std::string_view final_name, mode_t mode,
                                      const std::string& shown);

} // namespace local
