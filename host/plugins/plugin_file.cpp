// The trust rule is judged on the open descriptor and on the resolved path.
#include "host/plugins/plugin_file.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace bkhost {
namespace {

namespace fs = std::filesystem;

std::string resolve(const std::string& path) {
    std::error_code error;
    fs::path real = fs::canonical(path, error);
    if (error) bk::throw_errno(error.value(), "plugin '" + path + "'");
    return real.string();
}

bool owner_is_trusted(uint32_t owner, bool privileged) noexcept {
    return owner == 0 || (!privileged && owner == geteuid());
}

std::string wrong_owner(const std::string& what, uint32_t owner, bool privileged) {
    return what + " belongs to user " + std::to_string(owner) +
           (privileged ? ", not to root" : ", neither to root nor to the caller");
}

/// The directory that holds the plugin, and those above it.
std::string distrust_directories(const std::string& file, bool privileged) {
    const fs::path holder = fs::path(file).parent_path();
    for (fs::path dir = holder;; dir = dir.parent_path()) {
        const std::string what = "its directory '" + dir.string() + "'";
        struct stat status {};
        if (::stat(dir.c_str(), &status) != 0) return what + " cannot be examined";
        if (!owner_is_trusted(status.st_uid, privileged))
            return wrong_owner(what, status.st_uid, privileged);
        // Further up, a group such as Debian's "staff" for /usr/local is the administrator's
        // choice, and a sticky directory lets nobody rename what others own.
        const bool open_to_others =
            dir == holder ? (status.st_mode & (S_IWGRP | S_IWOTH)) != 0
                          : (status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0;
        if (open_to_others) return what + " may be written to by others";
        if (dir == dir.parent_path()) return "";
    }
}

} // namespace

PluginFile::PluginFile(const std::string& path) : real_path_(resolve(path)) {
    // Not blocking, since a FIFO would wait for a writer.
    fd_ = ::open(real_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd_ < 0) bk::throw_errno(errno, "plugin '" + path + "'");
    struct stat status {};
    if (::fstat(fd_, &status) != 0 || !S_ISREG(status.st_mode)) {
        ::close(fd_);
        throw bk::Error(BK_E_INVALID, "plugin '" + path + "': not a regular file");
    }
    id_ = {status.st_dev, status.st_ino, static_cast<uint64_t>(status.st_size),
           status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
    mode_ = status.st_mode;
    owner_ = status.st_uid;
}

PluginFile::~PluginFile() { ::close(fd_); }

bool PluginFile::read(uint64_t offset, std::span<uint8_t> out) const noexcept {
    while (!out.empty()) {
        const ssize_t got = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        out = out.subspan(static_cast<size_t>(got));
        offset += static_cast<uint64_t>(got);
    }
    return true;
}

std::string PluginFile::sha256() const {
    Sha256 sum;
    std::array<uint8_t, 64 * 1024> buffer;
    for (uint64_t at = 0; at < id_.size;) {
        const std::span<uint8_t> part(buffer.data(),
                                      std::min<uint64_t>(buffer.size(), id_.size - at));
        if (!read(at, part))
            throw bk::Error(BK_E_UNAVAILABLE, "plugin '" + real_path_ + "': cannot be read whole");
        sum.update(part);
        at += part.size();
    }
    return sum.finish();
}

std::string PluginFile::distrust(bool privileged) const {
    if (!owner_is_trusted(owner_, privileged)) return wrong_owner("it", owner_, privileged);
    if ((mode_ & (S_IWGRP | S_IWOTH)) != 0) return "it may be written to by others";
    return distrust_directories(real_path_, privileged);
}

} // namespace bkhost
