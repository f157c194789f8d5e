#include "tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>

namespace local {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

struct CloseDir {
    void operator()(DIR* stream) const noexcept { ::closedir(stream); }
};

bool is_link(int folder, const char* name) noexcept {
    struct stat status {};
    return ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

bool is_file(int folder, const char* name) noexcept {
    struct stat status {};
    return ::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode);
}

/// Empty when absent or not a directory.
Descriptor enter(int folder, const std::string& name, const std::string& path) {
    Descriptor next = open_at(folder, name.c_str(), kFolderFlags);
    if (next) return next;
    const int number = errno;
    // The kernel says ENOTDIR for a link too, and a link must not pass for an absent object.
    if (number == ELOOP || (number == ENOTDIR && is_link(folder, name.c_str())))
        throw_file_error(ELOOP, "enter", path);
    if (number != ENOENT && number != ENOTDIR) throw_file_error(number, "enter", path);
    return next;
}

EntryType type_of_mode(mode_t mode) noexcept {
    if (S_ISREG(mode)) return EntryType::file;
    if (S_ISDIR(mode)) return EntryType::folder;
    return S_ISLNK(mode) ? EntryType::link : EntryType::other;
}

/// Nothing when the entry vanished.
std::optional<EntryType> type_of(int folder, const dirent& entry, const std::string& path) {
    if (entry.d_type == DT_REG) return EntryType::file;
    if (entry.d_type == DT_DIR) return EntryType::folder;
    if (entry.d_type == DT_LNK) return EntryType::link;
    struct stat status {};
    if (::fstatat(folder, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return type_of_mode(status.st_mode);
    if (errno != ENOENT) throw_file_error(errno, "stat", path + "/" + entry.d_name);
    return std::nullopt;
}

} // namespace

std::string shown_path(const std::string& root_path, Folders folders, const std::string& name) {
    std::string path = root_path;
    for (const std::string& folder : folders)
        path += "/" + folder;
    return name.empty() ? path : path + "/" + name;
}

std::string shown_path(const std::string& root_path, std::string_view below) {
    if (below.ends_with('/')) below.remove_suffix(1);
    return below.empty() ? root_path : root_path + "/" + std::string(below);
}

Descriptor Tree::open(Folders folders) const {
    Descriptor at = open_at(root, ".", kFolderFlags);
    if (!at) throw_file_error(errno, "open", path);
    for (size_t i = 0; i < folders.size() && at; ++i)
        at = enter(at.get(), folders[i], shown_path(path, folders.first(i + 1)));
    return at;
}

Descriptor Tree::make(Folders folders, mode_t mode, size_t& kept) const {
    Descriptor at = open_at(root, ".", kFolderFlags);
    if (!at) throw_file_error(errno, "open", path);
    for (size_t i = 0; i < folders.size(); ++i) {
        const std::string shown = shown_path(path, folders.first(i + 1));
        const int result = ::mkdirat(at.get(), folders[i].c_str(), mode);
        if (result == 0) kept = std::min(kept, i);
        if (result != 0 && errno == ENOENT) return {};
        if (result != 0 && errno != EEXIST) throw_file_error(errno, "make directory", shown);
        Descriptor next = enter(at.get(), folders[i], shown);
        if (!next && is_file(at.get(), folders[i].c_str()))
            throw bk::Error(BK_E_INVALID,
                            "'" + shown + "' is an object, so no key can lie below it");
        if (!next) return {};
        if (result == 0) set_mode(next.get(), mode, shown);
        at = std::move(next);
    }
    return at;
}

size_t Tree::remove_empty(Folders folders, size_t keep) const {
    size_t left = folders.size();
    while (left > keep) {
        const Descriptor parent = open(folders.first(left - 1));
        // In use, a mount point, or not ours to remove: an empty directory does no harm.
        if (parent && ::unlinkat(parent.get(), folders[left - 1].c_str(), AT_REMOVEDIR) != 0 &&
            errno != ENOENT)
            break;
        --left;
    }
    return left;
}

void Tree::sync(Folders folders) const {
    Descriptor at = open({});
    for (size_t i = 0; at; ++i) {
        sync_folder(at.get(), shown_path(path, folders.first(i)));
        if (i == folders.size()) return;
        at = enter(at.get(), folders[i], shown_path(path, folders.first(i + 1)));
    }
}

void for_each_entry(int folder, const std::string& path,
                    const std::function<void(const char* name, EntryType)>& visit) {
    const int fd = ::openat(folder, ".", kFolderFlags | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return; // removed meanwhile
    if (fd < 0) throw_file_error(errno, "read directory", path);
    const std::unique_ptr<DIR, CloseDir> stream(::fdopendir(fd));
    if (!stream) {
        ::close(fd);
        throw_file_error(ENOMEM, "read directory", path);
    }
    for (errno = 0; const dirent* entry = ::readdir(stream.get()); errno = 0) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..") continue;
        if (const auto type = type_of(folder, *entry, path)) visit(entry->d_name, *type);
    }
    if (errno != 0) throw_file_error(errno, "read directory", path);
}

} // namespace local
