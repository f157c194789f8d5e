// A file opened for reading, with what its mode says: for files whose content must be guarded.
#pragma once

#include "core/base/secret.hpp"

#include <cstddef>
#include <string>

#include <sys/types.h>

namespace bkhost {

/// Closes itself. Confined.
class OpenFile {
public:
    /// Throws NOT_FOUND, DENIED and so on, as the system says; CONFIG for a folder.
    explicit OpenFile(const std::string& path);
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    [[nodiscard]] mode_t mode() const noexcept { return mode_; }
    [[nodiscard]] uid_t owner() const noexcept { return owner_; }
    /// All of it; throws CONFIG when it is longer than `limit`.
    [[nodiscard]] Secret read(size_t limit) const;

private:
    std::string path_;
    int fd_ = -1;
    mode_t mode_ = 0;
    uid_t owner_ = 0;
};

} // namespace bkhost
