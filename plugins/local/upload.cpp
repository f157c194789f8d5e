#include "upload.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <limits>

namespace local {
namespace {

bool condition_of(const bk_put_options& options) {
    if (options.condition == BK_PUT_IF_VERSION)
        throw bk::Error(BK_E_UNSUPPORTED, "a directory cannot replace an object by its version");
    if (options.condition != BK_PUT_ALWAYS && options.condition != BK_PUT_IF_ABSENT)
        throw bk::Error(BK_E_INVALID,
                        "unknown condition " + std::to_string(options.condition) + " for a write");
    if (options.retain_until_ms != 0)
        throw bk::Error(BK_E_UNSUPPORTED, "a directory cannot lock an object against removal");
    return options.condition == BK_PUT_IF_ABSENT;
}

/// Shows at commit that this part was written, here and at this place.
std::string token_of(const bk_part& part) {
    return std::to_string(part.offset) + "+" + std::to_string(part.size);
}

} // namespace

LocalUpload::LocalUpload(Root& root, Key key, const bk_put_options& options,
                         const Interrupts& interrupts)
    : settings_(root.settings()), key_(std::move(key)), if_absent_(condition_of(options)),
      mark_(interrupts), root_(root.open_or_create()), tree_{root_.get(), settings_.path},
      kept_folders_(key_.folders().size()),
      path_(shown_path(settings_.path, key_.folders(), key_.name())) {
    try {
        open_temp_file();
    } catch (const bk::Error&) {
        tree_.remove_empty(key_.folders(), kept_folders_);
        throw;
    }
}

LocalUpload::~LocalUpload() {
    try {
        if (state_ != State::committed) abort();
    } catch (const bk::Error&) {
        // Nobody is left to be told; what remains is a file without a lock, for abort_stale.
    }
}

void LocalUpload::open_temp_file() {
    // Whoever removes the last object of a directory removes the directory too, perhaps right now.
    constexpr int kTries = 1000;
    for (int i = 0; i < kTries && !temp_.file; ++i) {
        mark_.check();
        folder_ = tree_.make(key_.folders(), settings_.dir_mode, kept_folders_);
        if (folder_)
            temp_ = make_temp_file(folder_.get(), key_.name(), settings_.file_mode,
                                   shown_path(settings_.path, key_.folders()));
    }
    if (!temp_.file)
        throw bk::Error(BK_E_UNAVAILABLE,
                        "the directory of '" + path_ + "' is removed again and again");
    // What is synced anyway need not go through memory that others could use.
    if (settings_.fsync)
        direct_ = open_at(folder_.get(), temp_.name.c_str(), O_WRONLY | O_DIRECT | O_NOFOLLOW);
}

void LocalUpload::part(bk_part& part, bk::Bytes data) {
    if (state_ != State::writing)
        throw bk::Error(BK_E_INVALID, "upload of '" + path_ + "' takes no more parts");
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
    if (part.offset > kMax || data.size() > kMax - part.offset)
        throw bk::Error(BK_E_INVALID, "part " + std::to_string(part.number) + " of '" + path_ +
                                          "' lies beyond what a file can hold");
    const size_t direct =
        direct_ ? write_blocks_at(direct_.get(), data, part.offset, mark_, path_) : 0;
    write_at(temp_.file.get(), data.subspan(direct), part.offset + direct, mark_, path_);
    std::snprintf(part.token, sizeof part.token, "%s", token_of(part).c_str());
}

struct stat LocalUpload::status() const {
    struct stat status {};
    if (::fstat(temp_.file.get(), &status) != 0) throw_file_error(errno, "stat", path_);
    return status;
}

void LocalUpload::check_parts(std::span<const bk_part> parts) const {
    const auto refuse = [&](const std::string& why) {
        throw bk::Error(BK_E_CORRUPT, "upload of '" + path_ + "' is not whole: " + why);
    };
    uint64_t end = 0;
    for (const bk_part& part : parts) {
        const std::string name = "part " + std::to_string(part.number);
        if (part.offset != end)
            refuse(name + " begins at " + std::to_string(part.offset) + " and not at " +
                   std::to_string(end));
        if (part.token != token_of(part)) refuse(name + " was not written");
        end += part.size;
    }
    const auto size = static_cast<uint64_t>(status().st_size);
    if (size != end)
        refuse("the parts hold " + std::to_string(end) + " bytes and the file " +
               std::to_string(size));
}

bk_object LocalUpload::commit(std::span<const bk_part> parts) {
    if (state_ != State::writing && state_ != State::synced)
        throw bk::Error(BK_E_INVALID, "upload of '" + path_ + "' has ended already",
                        "begin a new upload");
    mark_.check();
    check_parts(parts);
    if (state_ == State::writing) sync();
    make_visible();
    if (settings_.fsync) tree_.sync(key_.folders());
    state_ = State::committed;
    return object_of(status());
}

void LocalUpload::sync() {
    if (settings_.fsync) {
        state_ = State::broken; // unless it succeeds: a second fsync would not tell of lost data
        sync_file(temp_.file.get(), path_);
    }
    state_ = State::synced;
}

void LocalUpload::make_visible() {
    const unsigned flags = if_absent_ ? RENAME_NOREPLACE : 0;
    if (::renameat2(folder_.get(), temp_.name.c_str(), folder_.get(), key_.name().c_str(), flags) ==
        0)
        state_ = State::visible;
    else if (if_absent_ && (errno == EINVAL || errno == ENOSYS))
        link_if_absent();
    else
        throw_not_visible(errno);
}

void LocalUpload::link_if_absent() {
    // A file system without RENAME_NOREPLACE (NFS): a link too is made by one of two writers only.
    const int folder = folder_.get();
    if (::linkat(folder, temp_.name.c_str(), folder, key_.name().c_str(), 0) != 0)
        throw_not_visible(errno);
    state_ = State::visible;
    if (::unlinkat(folder, temp_.name.c_str(), 0) != 0)
        throw_file_error(errno, "remove the temporary name of", path_);
}

void LocalUpload::throw_not_visible(int number) const {
    struct stat there {};
    if (::fstatat(folder_.get(), key_.name().c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(there.st_mode))
        throw bk::Error(BK_E_INVALID, "'" + path_ + "' is a directory: keys lie below it");
    if (number == EEXIST) throw bk::Error(BK_E_EXISTS, "object '" + path_ + "' exists already");
    throw_file_error(number, "rename the upload to", path_);
}

bool LocalUpload::replaced() const {
    struct stat named {};
    if (::fstatat(folder_.get(), key_.name().c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0)
        return true;
    return named.st_ino != status().st_ino;
}

void LocalUpload::abort() {
    if (state_ == State::committed || state_ == State::aborted) return;
    const std::string& name = state_ == State::visible ? key_.name() : temp_.name;
    if (state_ != State::visible || !replaced())
        if (::unlinkat(folder_.get(), name.c_str(), 0) != 0 && errno != ENOENT)
            throw_file_error(errno, "remove the unfinished upload of", path_);
    state_ = State::aborted;
    temp_.file.reset();
    tree_.remove_empty(key_.folders(), kept_folders_);
}

} // namespace local
