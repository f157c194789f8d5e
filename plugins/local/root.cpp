#include "root.hpp"

#include "key.hpp"
#include "temp_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

namespace local {
namespace {

constexpr std::string_view kMarkerText =
    "This directory is a storage of bkhost. Keep this file: it tells the storage from an empty\n"
    "directory, such as the mount point of a disk that is not mounted.\n";

std::string in_quotes(const std::string& path) { return "'" + path + "'"; }

[[noreturn]] void throw_absent(bk_status status, const std::string& path) {
    throw bk::Error(status, "storage directory " + in_quotes(path) + " does not exist",
                    "is its disk mounted? a new storage is made by its first backup");
}

std::string parent_of(const std::string& path) {
    const std::string parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent;
}

bool has_marker(int root, const std::string& path) {
    struct stat status {};
    if (::fstatat(root, kMarker, &status, AT_SYMLINK_NOFOLLOW) == 0) return S_ISREG(status.st_mode);
    if (errno != ENOENT) throw_file_error(errno, "stat", path + "/" + kMarker);
    return false;
}

/// Empty when absent. The path is the operator's own, so links in it are followed.
Descriptor open_root(const std::string& path) {
    Descriptor root = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!root && errno == ENOTDIR)
        throw bk::Error(BK_E_CONFIG, "storage path " + in_quotes(path) + " is not a directory",
                        "name a directory, or one that can be made");
    if (!root && errno != ENOENT) throw_file_error(errno, "open storage directory", path);
    return root;
}

struct FileId {
    dev_t device;
    ino_t inode;
    bool operator==(const FileId&) const = default;
};

FileId id_of(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) throw_file_error(errno, "stat", path);
    return {status.st_dev, status.st_ino};
}

/// The directory itself or one that it lies in, up to "/", is `wanted`.
bool lies_in(Descriptor folder, FileId wanted, const std::string& path) {
    for (FileId at = id_of(folder.get(), path);;) {
        if (at == wanted) return true;
        Descriptor up = open_at(folder.get(), "..", O_PATH | O_DIRECTORY);
        if (!up) throw_file_error(errno, "look at the directories above", path);
        const FileId above = id_of(up.get(), path);
        if (above == at) return false;
        at = above;
        folder = std::move(up);
    }
}

struct Place {
    Descriptor folder;
    bool whole; ///< `folder` is what was asked for, and not a directory that it lies in
};

/// The directory at `path`, or the nearest existing one that a file or an absent path lies in. A
/// file lies where it really is, and not where a link to it is.
Place nearest_folder(const std::string& path) {
    std::error_code code;
    std::filesystem::path at = std::filesystem::absolute(path, code);
    if (!code) at = std::filesystem::weakly_canonical(at, code);
    if (code) throw_file_error(code.value(), "resolve", path);
    for (bool whole = true;; whole = false) {
        Descriptor found = open_at(AT_FDCWD, at.c_str(), O_PATH | O_DIRECTORY);
        if (found) return {std::move(found), whole};
        if (errno != ENOENT && errno != ENOTDIR) throw_file_error(errno, "look at", path);
        at = at.parent_path();
    }
}

} // namespace

Descriptor Root::open(bk_status when_absent) {
    Descriptor root = open_root(settings_.path);
    if (!root) throw_absent(when_absent, settings_.path);
    if (!has_marker(root.get(), settings_.path))
        throw bk::Error(
            BK_E_UNAVAILABLE,
            "storage directory " + in_quotes(settings_.path) + " has no " + kMarker +
                " marker: is it mounted?",
            "mount it; a storage that was never used is initialised by its first backup");
    seen_marked_ = true;
    return root;
}

Descriptor Root::open_or_create() {
    if (seen_marked_) return open(BK_E_UNAVAILABLE);
    Descriptor root = open_root(settings_.path);
    if (root && has_marker(root.get(), settings_.path)) {
        seen_marked_ = true;
        return root;
    }
    if (settings_.require_marker)
        throw bk::Error(
            BK_E_UNAVAILABLE,
            "storage directory " + in_quotes(settings_.path) +
                (root ? " has no " + std::string(kMarker) + " marker" : " does not exist"),
            "is its disk mounted? for a new storage make the directory and an empty file "
            "'" +
                settings_.path + "/" + kMarker + "'");
    if (!root) root = create();
    mark(root.get());
    seen_marked_ = true;
    return root;
}

Descriptor Root::create() const {
    const std::string& path = settings_.path;
    if (!settings_.create) throw_absent(BK_E_NOT_FOUND, path);
    if (::mkdir(path.c_str(), settings_.dir_mode) != 0 && errno != EEXIST) {
        if (errno != ENOENT) throw_file_error(errno, "make storage directory", path);
        throw bk::Error(BK_E_NOT_FOUND,
                        "storage directory " + in_quotes(path) + " does not exist, nor does " +
                            in_quotes(parent_of(path)),
                        "make " + in_quotes(parent_of(path)) + " first, or mount it");
    }
    Descriptor root = open_root(path);
    if (!root) throw_absent(BK_E_UNAVAILABLE, path);
    set_mode(root.get(), settings_.dir_mode, path);
    if (settings_.fsync) {
        const Descriptor parent = open_at(root.get(), "..", O_RDONLY | O_DIRECTORY);
        if (parent)
            sync_folder(parent.get(), parent_of(path)); // one that we may not read is not ours
    }
    return root;
}

void Root::mark(int root) const {
    const std::string path = settings_.path + "/" + kMarker;
    const Descriptor marker =
        open_at(root, kMarker, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, settings_.file_mode);
    if (!marker && errno == EEXIST) return; // another process was first
    if (!marker) throw_file_error(errno, "create", path);
    const Interrupts none = 0;
    write_at(marker.get(),
             {reinterpret_cast<const uint8_t*>(kMarkerText.data()), kMarkerText.size()}, 0,
             InterruptMark(none), path);
    if (!settings_.fsync) return;
    sync_file(marker.get(), path);
    sync_folder(root, settings_.path);
}

void Root::refuse_source(const std::string& source) const {
    Place storage = nearest_folder(settings_.path);
    Place data = nearest_folder(source);
    const FileId storage_id = id_of(storage.folder.get(), settings_.path);
    const FileId data_id = id_of(data.folder.get(), source);
    const std::string what = "storage directory " + in_quotes(settings_.path);
    const char* hint = "a backup beside its data is lost with them: choose another place";
    if (data.whole && lies_in(std::move(storage.folder), data_id, settings_.path))
        throw bk::Error(BK_E_CONFIG, what + " lies inside the source " + in_quotes(source), hint);
    if (storage.whole && lies_in(std::move(data.folder), storage_id, source))
        throw bk::Error(BK_E_CONFIG, what + " holds the source " + in_quotes(source), hint);
}

void Root::try_write(int root) const {
    const TempFile temp = make_temp_file(root, "probe", settings_.file_mode, settings_.path);
    if (!temp.file) throw_absent(BK_E_UNAVAILABLE, settings_.path);
    const std::string path = settings_.path + "/" + temp.name;
    const Interrupts none = 0;
    const std::array<uint8_t, 1> byte{};
    try {
        write_at(temp.file.get(), byte, 0, InterruptMark(none), path);
        if (settings_.fsync) sync_file(temp.file.get(), path);
    } catch (const bk::Error&) {
        ::unlinkat(root, temp.name.c_str(), 0);
        throw;
    }
    if (::unlinkat(root, temp.name.c_str(), 0) != 0) throw_file_error(errno, "remove", path);
}

} // namespace local
