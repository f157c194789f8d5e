// The descriptor is looked at, not the path, so that nobody can exchange the file in between.
#include "host/config/open_file.hpp"

#include <bkhost/error.hpp>

#include <utility>

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bkhost {

OpenFile::OpenFile(const std::string& path) : path_(path) {
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd_ < 0) bk::throw_errno(errno, "cannot read '" + path + "'");
    struct stat status {};
    const int failed = ::fstat(fd_, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    if (failed != 0) {
        ::close(fd_); // a destructor does not run for an object that was not made
        if (failed == EISDIR)
            throw bk::Error(BK_E_CONFIG, "'" + path + "' is a folder, not a file");
        bk::throw_errno(failed, "cannot read '" + path + "'");
    }
    mode_ = status.st_mode;
    owner_ = status.st_uid;
}

OpenFile::~OpenFile() { ::close(fd_); }

Secret OpenFile::read(size_t limit) const {
    std::string text(limit + 1, '\0'); // never grows, so that no copy is left behind
    size_t filled = 0;
    while (filled < text.size()) {
        const ssize_t got = ::read(fd_, text.data() + filled, text.size() - filled);
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) bk::throw_errno(errno, "cannot read '" + path_ + "'");
        filled += static_cast<size_t>(got);
    }
    text.resize(filled);
    Secret content(std::move(text));
    if (filled > limit)
        throw bk::Error(BK_E_CONFIG,
                        "'" + path_ + "' is larger than " + std::to_string(limit / 1024) + " KiB");
    return content;
}

} // namespace bkhost
