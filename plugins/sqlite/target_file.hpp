// The file that a restore makes: written beside the target under a name of its own, locked, and put
// in place whole or not at all. A target in use, or files of an older database beside it, are
// refused.
#pragma once

#include "cancel.hpp"

#include <chrono>
#include <string>

namespace sqlite_driver {

enum class Existing {
    refuse,
    replace,
    keep, ///< the file is a place to work in: publish() is not called
};

/// An open descriptor.
class Descriptor {
public:
    explicit Descriptor(int number = -1) noexcept : number_(number) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }

private:
    int number_;
};

/// Confined. Removed again unless publish() succeeded.
class TargetFile {
public:
    /// Throws EXISTS (target, or a -wal, -shm or -journal without it), BUSY (somebody has the
    /// target open), NOT_FOUND (no such directory), DENIED. Sweeps what dead restores of this
    /// target left.
    TargetFile(const std::string& path, Existing existing, std::chrono::milliseconds patience,
               const Cancel& cancel);
    ~TargetFile();
    TargetFile(const TargetFile&) = delete;
    TargetFile& operator=(const TargetFile&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const std::string& temporary() const noexcept { return temporary_; }
    [[nodiscard]] int descriptor() const noexcept { return file_.get(); }

    /// What was written so far is on the disk. After a failure the file must be given up.
    /// Thread-safe.
    void sync() const;
    /// Durable, then visible under the target's name. Checks again what the constructor checked.
    void publish();

private:
    void create();
    void check_target() const;
    void adopt_mode();
    void move_if_absent();
    void move_over();
    void sync_directory() const;

    std::string path_, directory_, temporary_;
    Existing existing_;
    std::chrono::milliseconds patience_;
    const Cancel& cancel_;
    Descriptor file_;
    bool published_ = false;
};

/// Writes all of it at `offset`; throws NO_SPACE and what else the system says, naming `path`.
void write_at(int descriptor, const void* data, size_t size, uint64_t offset,
              const std::string& path);

} // namespace sqlite_driver
