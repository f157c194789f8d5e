#include "local.hpp"

#include "listing.hpp"
#include "reader.hpp"
#include "settings.hpp"
#include "stale.hpp"
#include "upload.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace local {
namespace {

const char* text_or_empty(const char* text) noexcept { return text != nullptr ? text : ""; }

} // namespace

LocalStorage::LocalStorage(bk::Host, bk::Config config) : root_(read_settings(config)) {}

void LocalStorage::props(bk_storage_props& props) noexcept {
    props.capabilities =
        BK_CAP_ATOMIC_REPLACE | BK_CAP_PUT_IF_ABSENT | BK_CAP_RANGE_READ | BK_CAP_LIST_AFTER_WRITE;
    props.min_part_size = 1;
    props.max_part_size = uint64_t{1} << 40;
    props.max_parts = 0;
    props.parallel_parts = 2;
    props.max_object_size = 0;
}

void LocalStorage::interrupt() noexcept { ++interrupts_; }

void LocalStorage::probe(const char* source_path) {
    if (source_path != nullptr) root_.refuse_source(source_path); // before anything is made
    const Descriptor root = root_.open_or_create();
    root_.try_write(root.get());
}

bk_object LocalStorage::put(std::string_view key, bk::Bytes data, const bk_put_options& options) {
    LocalUpload upload(root_, Key(key), options, interrupts_);
    bk_part part{};
    part.struct_size = sizeof part;
    part.number = 1;
    part.size = data.size();
    upload.part(part, data);
    return upload.commit({&part, 1});
}

std::unique_ptr<bk::Upload> LocalStorage::upload(std::string_view key,
                                                 const bk_put_options& options) {
    return std::make_unique<LocalUpload>(root_, Key(key), options, interrupts_);
}

std::unique_ptr<bk::Reader> LocalStorage::read(std::string_view key, uint64_t offset, uint64_t len,
                                               const char* if_version) {
    const Key checked(key);
    const Descriptor root = root_.open(BK_E_UNAVAILABLE);
    return open_reader({root.get(), root_.settings().path}, checked,
                       {offset, len, text_or_empty(if_version)}, InterruptMark(interrupts_));
}

std::optional<bk_object> LocalStorage::stat(std::string_view key) {
    const Key checked(key);
    const Descriptor root = root_.open(BK_E_UNAVAILABLE);
    const Tree tree{root.get(), root_.settings().path};
    const Descriptor folder = tree.open(checked.folders());
    if (!folder) return std::nullopt;
    const auto status = stat_object(folder.get(), checked.name(),
                                    shown_path(tree.path, checked.folders(), checked.name()));
    if (!status) return std::nullopt;
    return object_of(*status);
}

void LocalStorage::list(std::string_view prefix, const char* start_after, const char* delimiter,
                        const Found& found) {
    const Descriptor root = root_.open(BK_E_NOT_FOUND);
    const Tree tree{root.get(), root_.settings().path};
    const InterruptMark mark(interrupts_);
    Listing(tree, {std::string(prefix), text_or_empty(start_after), text_or_empty(delimiter)},
            found, mark)
        .run();
}

void LocalStorage::remove(std::string_view key) {
    const Key checked(key);
    const Descriptor root = root_.open(BK_E_UNAVAILABLE);
    const Tree tree{root.get(), root_.settings().path};
    const std::string path = shown_path(tree.path, checked.folders(), checked.name());
    const Descriptor folder = tree.open(checked.folders());
    if (!folder || !stat_object(folder.get(), checked.name(), path)) return;
    if (::unlinkat(folder.get(), checked.name().c_str(), 0) != 0 && errno != ENOENT)
        throw_file_error(errno, "remove", path);
    const size_t left = tree.remove_empty(checked.folders(), 0);
    if (!root_.settings().fsync) return;
    // The innermost directory that remains holds the change, be it of a file or of a directory.
    const Descriptor changed = tree.open(Folders(checked.folders()).first(left));
    if (changed) sync_folder(changed.get(), path);
}

uint64_t LocalStorage::abort_stale(const char* prefix, int64_t min_age_ms) {
    const Descriptor root = root_.open(BK_E_NOT_FOUND);
    return remove_stale({root.get(), root_.settings().path}, text_or_empty(prefix), min_age_ms,
                        InterruptMark(interrupts_));
}

LocalStorage::Space LocalStorage::space() {
    const Descriptor root = root_.open(BK_E_NOT_FOUND);
    struct statvfs status {};
    if (::fstatvfs(root.get(), &status) != 0)
        throw_file_error(errno, "read the free space of", root_.settings().path);
    return {uint64_t{status.f_bavail} * status.f_frsize,
            uint64_t{status.f_blocks} * status.f_frsize};
}

} // namespace local
