#include "syscall_faults.hpp"

#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

namespace local {
namespace {

SyscallFaults* active = nullptr;

std::string path_of(int fd) {
    std::array<char, 4096> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    return ::readlink(link.c_str(), path.data(), path.size() - 1) < 0 ? "" : path.data();
}

/// 0, or -1 with errno as the judge wants it.
int judge(const SyscallFaults::Judge& with, const std::string& path) {
    const int number = with ? with(path) : 0;
    if (number != 0) errno = number;
    return number == 0 ? 0 : -1;
}

int record(long result, const std::string& what) {
    if (result == 0 && active != nullptr) active->done.push_back(what);
    return static_cast<int>(result);
}

} // namespace

SyscallFaults::SyscallFaults() { active = this; }
SyscallFaults::~SyscallFaults() { active = nullptr; }

} // namespace local

using local::active;

extern "C" {

int fsync(int fd) {
    if (active == nullptr) return static_cast<int>(::syscall(SYS_fsync, fd));
    const std::string path = local::path_of(fd);
    if (local::judge(active->on_sync, path) != 0) return -1;
    return local::record(::syscall(SYS_fsync, fd), "sync " + path);
}

int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) noexcept {
    if (active != nullptr && local::judge(active->on_rename, to) != 0) return -1;
    return local::record(::syscall(SYS_renameat2, from_dir, from, to_dir, to, flags),
                         std::string("rename ") + to);
}

int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) noexcept {
    if (active != nullptr && local::judge(active->on_link, to) != 0) return -1;
    return local::record(::syscall(SYS_linkat, from_dir, from, to_dir, to, flags),
                         std::string("link ") + to);
}

int flock(int fd, int operation) noexcept {
    if (active != nullptr && local::judge(active->on_lock, local::path_of(fd)) != 0) return -1;
    return static_cast<int>(::syscall(SYS_flock, fd, operation));
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
    if (active != nullptr) {
        if (const int number = active->on_write ? active->on_write() : 0; number != 0) {
            errno = number;
            return -1;
        }
        if (active->write_limit != 0) size = std::min(size, active->write_limit);
    }
    return ::syscall(SYS_pwrite64, fd, data, size, offset);
}
}
