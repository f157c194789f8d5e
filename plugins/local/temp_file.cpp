#include "temp_file.hpp"

#include "key.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <random>

namespace local {
namespace {

// What is left of a name beside ".", "." and the longest tag.
constexpr size_t kMaxNamePart = 200;

std::string_view cut_name(std::string_view name) {
    if (name.size() <= kMaxNamePart) return name;
    size_t length = kMaxNamePart;
    while (length > 0 && (static_cast<uint8_t>(name[length]) & 0xc0) == 0x80)
        --length;
    return name.substr(0, length);
}

bool is_tag(std::string_view tag) {
    const size_t dash = tag.find('-');
    if (dash == 0 || dash == std::string_view::npos || tag.size() - dash != 17) return false;
    return tag.substr(0, dash).find_first_not_of("0123456789") == std::string_view::npos &&
           tag.substr(dash + 1).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// False when a sweep took the file between its creation and the lock.
bool still_named(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && status.st_nlink > 0;
}

} // namespace

std::string make_temp_name(std::string_view final_name) {
    std::random_device random;
    const uint64_t number = uint64_t{random()} << 32 | random();
    char tag[48];
    std::snprintf(tag, sizeof tag, ".%ld-%016" PRIx64 ".part", static_cast<long>(::getpid()),
                  number);
    return std::string(".").append(cut_name(final_name)).append(tag);
}

std::optional<std::string_view> target_of_temp(std::string_view name) {
    if (!is_temp_name(name)) return std::nullopt;
    name.remove_prefix(1);
    name.remove_suffix(std::string_view(".part").size());
    const size_t dot = name.rfind('.');
    if (dot == 0 || dot == std::string_view::npos || !is_tag(name.substr(dot + 1)))
        return std::nullopt;
    return name.substr(0, dot);
}

bool try_lock(int fd, const std::string& path) {
    int result = 0;
    do
        result = ::flock(fd, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result != 0 && errno != EWOULDBLOCK) throw_file_error(errno, "lock", path);
    return result == 0;
}

TempFile make_temp_file(int folder, std::string_view final_name, mode_t mode,
                        const std::string& shown) {
    for (;;) {
        TempFile made{Descriptor(), make_temp_name(final_name)};
        const std::string path = shown + "/" + made.name;
        made.file =
            open_at(folder, made.name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
        if (!made.file && errno == ENOENT) return made;
        if (!made.file && errno == EEXIST) continue;
        if (!made.file) throw_file_error(errno, "create", path);
        try {
            if (!try_lock(made.file.get(), path) || !still_named(made.file.get())) continue;
            set_mode(made.file.get(), mode, path);
        } catch (const bk::Error&) {
            ::unlinkat(folder, made.name.c_str(), 0);
            throw;
        }
        return made;
    }
}

} // namespace local
