#include "file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace local {
namespace {

// Between two chunks an interrupt is seen; a slow disk writes this much in well under 5 s.
constexpr size_t kChunk = size_t{8} << 20;

// What O_DIRECT asks of offset, length and memory on common disks; others answer EINVAL.
constexpr size_t kBlock = 4096;

bk_status status_of(int number) noexcept {
    switch (number) {
    case ELOOP: return BK_E_DENIED; // a symbolic link where none is followed
    case ESTALE:
    case ENOTCONN:
    case EHOSTDOWN:
    case ENODEV:
    case ENXIO: return BK_E_UNAVAILABLE; // a network or removable file system went away
    case EISDIR: return BK_E_INVALID;
    default: return bk::status_of_errno(number);
    }
}

std::string hint_of(int number, const std::string& path) {
    switch (number) {
    case ENOSPC: return "free space on the file system of '" + path + "'";
    case EDQUOT: return "free space or raise the disk quota of the user on '" + path + "'";
    case EFBIG:
        return "raise the file size limit (ulimit -f), or use a file system that takes larger "
               "files";
    case EACCES:
    case EPERM: return "give the user that runs bkhost access to '" + path + "'";
    case EROFS: return "mount the file system of '" + path + "' read-write";
    case ELOOP: return "replace the symbolic link by a directory or a bind mount";
    case EIO:
    case ESTALE:
    case ENOTCONN:
    case EHOSTDOWN:
    case ENODEV:
    case ENXIO: return "check the disk or the mount of '" + path + "'";
    default: return {};
    }
}

} // namespace

void Descriptor::reset() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void throw_file_error(int number, const std::string& action, const std::string& path) {
    bk::Error error(status_of(number),
                    "cannot " + action + " '" + path + "': " + std::strerror(number),
                    hint_of(number, path));
    error.native_code = number;
    error.native_domain = "errno";
    throw error;
}

Descriptor open_at(int folder, const char* name, int flags, mode_t mode) noexcept {
    int fd = -1;
    do
        fd = ::openat(folder, name, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return Descriptor(fd);
}

void write_at(int fd, std::span<const uint8_t> data, uint64_t offset, const InterruptMark& mark,
              const std::string& path) {
    mark.check();
    while (!data.empty()) {
        const size_t want = std::min(data.size(), kChunk);
        const ssize_t got = ::pwrite(fd, data.data(), want, static_cast<off_t>(offset));
        if (got < 0 && errno != EINTR) throw_file_error(errno, "write", path);
        if (got == 0) throw_file_error(ENOSPC, "write", path); // no progress and no error
        if (got > 0) {
            data = data.subspan(static_cast<size_t>(got));
            offset += static_cast<uint64_t>(got);
        }
        mark.check();
    }
}

size_t write_blocks_at(int fd, std::span<const uint8_t> data, uint64_t offset,
                       const InterruptMark& mark, const std::string& path) {
    const bool aligned =
        offset % kBlock == 0 && reinterpret_cast<uintptr_t>(data.data()) % kBlock == 0;
    const size_t blocks = aligned ? data.size() / kBlock * kBlock : 0;
    size_t done = 0;
    while (done < blocks) {
        mark.check();
        const ssize_t got = ::pwrite(fd, data.data() + done, std::min(blocks - done, kChunk),
                                     static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got == 0 || (got < 0 && errno == EINVAL)) break;
        if (got < 0) throw_file_error(errno, "write", path);
        done += static_cast<size_t>(got);
    }
    return done;
}

void sync_file(int fd, const std::string& path) {
    if (::fsync(fd) != 0) throw_file_error(errno, "sync", path);
}

void sync_folder(int fd, const std::string& path) {
    if (::fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        throw_file_error(errno, "sync", path);
}

void set_mode(int fd, mode_t mode, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) throw_file_error(errno, "stat", path);
    if ((status.st_mode & 0777) == mode) return;
    // The file is ours, so EPERM means a file system without modes (vfat): its mount decides.
    if (::fchmod(fd, mode) != 0 && errno != EPERM && errno != ENOTSUP)
        throw_file_error(errno, "set the mode of", path);
}

bk_object object_of(const struct stat& status) {
    const int64_t ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    bk_object object = bk::empty_object();
    object.size = static_cast<uint64_t>(status.st_size);
    object.modified_ms = ns / 1'000'000;
    bk::set_version(object, std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) +
                                "-" + std::to_string(ns));
    return object;
}

} // namespace local
