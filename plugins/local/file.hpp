// Descriptors, whole writes and what an errno of the file system means to an operator.
#pragma once

#include <bkhost/storage.hpp>

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace local {

/// Owns a file descriptor; empty after a move. Confined to one thread.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() { reset(); }
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
    void reset() noexcept;

private:
    int fd_ = -1;
};

/// How often the work was interrupted. Thread-safe.
using Interrupts = std::atomic<uint64_t>;

/// What was begun before an interrupt ends with CANCELLED; what begins later goes on. Thread-safe.
class InterruptMark {
public:
    explicit InterruptMark(const Interrupts& interrupts) noexcept
        : interrupts_(&interrupts), seen_(interrupts.load()) {}
    /// Throws CANCELLED.
    void check() const {
        if (interrupts_->load() != seen_) throw bk::Error(BK_E_CANCELLED, "interrupted");
    }

private:
    const Interrupts* interrupts_;
    uint64_t seen_;
};

/// Throws for a failed call on `path`: "cannot <action> '<path>': <text of errno>", with a hint.
[[noreturn]] void throw_file_error(int number, const std::string& action, const std::string& path);

/// open, openat with O_CLOEXEC; an empty descriptor (and errno) on failure.
[[nodiscard]] Descriptor open_at(int folder, const char* name, int flags, mode_t mode = 0) noexcept;

/// Writes all of `data` at `offset`; checks the mark between chunks. `path` is for messages.
void write_at(int fd, std::span<const uint8_t> data, uint64_t offset, const InterruptMark& mark,
              const std::string& path);

/// Writes what can go past the page cache: the whole blocks at the beginning of `data`, if memory
/// and `offset` are aligned to them and the file system agrees. `fd` was opened with O_DIRECT.
/// Gives the number of bytes; the rest is for write_at.
[[nodiscard]] size_t write_blocks_at(int fd, std::span<const uint8_t> data, uint64_t offset,
                                     const InterruptMark& mark, const std::string& path);

/// fsync of a file. Throws; the data may then be lost, and the descriptor must not be synced again.
void sync_file(int fd, const std::string& path);
/// fsync of a directory; a file system that cannot do it is taken as one that need not.
void sync_folder(int fd, const std::string& path);

/// Gives a just created file or directory its mode in spite of the umask.
void set_mode(int fd, mode_t mode, const std::string& path);

/// What a host learns of an object. The version, "<inode>-<size>-<mtime in ns>", differs as soon as
/// the object was replaced or written to.
[[nodiscard]] bk_object object_of(const struct stat& status);

} // namespace local
