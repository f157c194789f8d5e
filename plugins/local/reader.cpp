#include "reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace local {
namespace {

/// Confined to one thread.
class FileReader final : public bk::Reader {
public:
    FileReader(Descriptor file, uint64_t offset, uint64_t left, InterruptMark mark,
               std::string path)
        : file_(std::move(file)), offset_(offset), left_(left), mark_(mark),
          path_(std::move(path)) {
        ::posix_fadvise(file_.get(), static_cast<off_t>(offset), static_cast<off_t>(left),
                        POSIX_FADV_SEQUENTIAL);
    }

    size_t read(std::span<uint8_t> buffer) override {
        const size_t want = static_cast<size_t>(std::min<uint64_t>(buffer.size(), left_));
        if (want == 0) return 0;
        ssize_t got = -1;
        do {
            mark_.check();
            got = ::pread(file_.get(), buffer.data(), want, static_cast<off_t>(offset_));
        } while (got < 0 && errno == EINTR);
        if (got < 0) throw_file_error(errno, "read", path_);
        if (got == 0)
            throw bk::Error(BK_E_CORRUPT, "'" + path_ + "' was cut to " + std::to_string(offset_) +
                                              " bytes while it was read");
        offset_ += static_cast<uint64_t>(got);
        left_ -= static_cast<uint64_t>(got);
        return static_cast<size_t>(got);
    }

private:
    Descriptor file_;
    uint64_t offset_, left_;
    InterruptMark mark_;
    std::string path_;
};

[[noreturn]] void throw_no_object(const std::string& path) {
    throw bk::Error(BK_E_NOT_FOUND, "no object '" + path + "'");
}

} // namespace

std::optional<struct stat> stat_object(int folder, const std::string& name,
                                       const std::string& path) {
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return std::nullopt;
        throw_file_error(errno, "stat", path);
    }
    if (S_ISDIR(status.st_mode)) return std::nullopt;
    if (!S_ISREG(status.st_mode))
        throw bk::Error(BK_E_DENIED, "'" + path + "' is not a regular file",
                        "links, devices and the like are no objects: move it out of the storage");
    return status;
}

std::unique_ptr<bk::Reader> open_reader(const Tree& tree, const Key& key, const ReadRange& range,
                                        InterruptMark mark) {
    std::string path = shown_path(tree.path, key.folders(), key.name());
    const Descriptor folder = tree.open(key.folders());
    if (!folder || !stat_object(folder.get(), key.name(), path)) throw_no_object(path);
    // O_NONBLOCK: should a pipe have come into its place meanwhile.
    Descriptor file = open_at(folder.get(), key.name().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file && errno == ENOENT) throw_no_object(path);
    if (!file) throw_file_error(errno, "open", path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw_file_error(errno, "stat", path);
    const bk_object object = object_of(status);
    if (!range.if_version.empty() && range.if_version != object.version)
        throw bk::Error(BK_E_CORRUPT, "object '" + path + "' has changed: its version is '" +
                                          object.version + "' and not '" + range.if_version + "'");
    if (range.offset > object.size)
        throw bk::Error(BK_E_INVALID, "offset " + std::to_string(range.offset) +
                                          " lies past the end of '" + path + "' (" +
                                          std::to_string(object.size) + " bytes)");
    const uint64_t left = std::min(range.len, object.size - range.offset);
    return std::make_unique<FileReader>(std::move(file), range.offset, left, mark, std::move(path));
}

} // namespace local
