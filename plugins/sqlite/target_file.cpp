// Temporary name, lock, checks and the atomic switch.
#include "target_file.hpp"

#include "database.hpp"

#include <sqlite3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sqlite_driver {
namespace {

namespace fs = std::filesystem;

constexpr std::array kCompanions{"-wal", "-shm", "-journal"};
constexpr const char* kMark = ".bkhost-";

std::string in_quotes(const std::string& path) { return "'" + path + "'"; }

std::string random_suffix() {
    constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyz";
    std::random_device device;
    std::string suffix;
    for (int i = 0; i < 10; ++i)
        suffix += letters[device() % letters.size()];
    return suffix;
}

bool exists(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) return true;
    if (errno != ENOENT && errno != ENOTDIR)
        bk::throw_errno(errno, "cannot look at " + in_quotes(path));
    return false;
}

void remove_with_companions(const std::string& path) {
    for (const char* ending : kCompanions)
        ::unlink((path + ending).c_str());
    ::unlink(path.c_str());
}

/// The directory must exist; links on the way, and the target's own, are followed.
std::string resolve(const std::string& path) {
    if (path.empty() || path == ":memory:")
        throw bk::Error(BK_E_CONFIG, "the target " + in_quotes(path) + " is not a file");
    const fs::path given = fs::absolute(path);
    std::error_code code;
    if (fs::exists(given, code)) return fs::canonical(given).string();
    const fs::path directory = fs::canonical(given.parent_path(), code);
    if (code)
        bk::throw_errno(code.value(),
                        "cannot restore into the directory " +
                            in_quotes(given.parent_path().string()),
                        "make the directory first");
    return (directory / given.filename()).string();
}

/// umask(2) cannot be asked without being changed for the whole process; /proc can
/// (https://man7.org/linux/man-pages/man5/proc_pid_status.5.html).
mode_t new_file_mode() {
    constexpr mode_t fallback = 0600;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("Umask:"))
            return 0666 & ~static_cast<mode_t>(std::strtoul(line.c_str() + 6, nullptr, 8));
    return fallback;
}

/// Removes temporary files of the target whose owner is dead: the lock of a living one cannot be
/// had.
void sweep(const std::string& directory, const std::string& prefix) {
    std::error_code code;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, code)) {
        const std::string name = entry.path().filename().string();
        if (!name.starts_with(prefix) || name.size() != prefix.size() + 10) continue;
        const std::string path = entry.path().string();
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
        if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) remove_with_companions(path);
    }
}

/// Nobody else has the database open as long as this lives. In exclusive locking mode, set before
/// the first read, SQLite takes the file's EXCLUSIVE lock in WAL mode too, and uses no -shm file
/// (https://www.sqlite.org/wal.html#use_of_wal_without_shared_memory).
class ExclusiveHold {
public:
    ExclusiveHold(const std::string& path, std::chrono::milliseconds patience, const Cancel& cancel)
        : connection_(path, Access::write, patience, cancel) {
        try {
            connection_.exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE");
        } catch (const bk::Error& error) {
            explain(error, path);
        }
    }

    /// Folds the log into the database, so that removing the log loses nothing, should we die then.
    void fold_log() {
        connection_.exec("ROLLBACK; PRAGMA wal_checkpoint(TRUNCATE)");
        sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    }

private:
    [[noreturn]] static void explain(const bk::Error& error, const std::string& path) {
        if (error.status() == BK_E_BUSY)
            throw bk::Error(BK_E_BUSY, "the target " + in_quotes(path) + " is in use",
                            "stop what has it open: replacing an open database corrupts it");
        if (error.status() == BK_E_INVALID)
            throw bk::Error(BK_E_EXISTS,
                            "the target " + in_quotes(path) + " is not a SQLite database",
                            "move it away; only a database is replaced");
        throw error;
    }
    Connection connection_;
};

} // namespace

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
}

TargetFile::TargetFile(const std::string& path, Existing existing,
                       std::chrono::milliseconds patience, const Cancel& cancel)
    : path_(resolve(path)), directory_(fs::path(path_).parent_path().string()), existing_(existing),
      patience_(patience), cancel_(cancel) {
    check_target();
    if (existing_ == Existing::replace && exists(path_))
        const ExclusiveHold in_use_by_nobody_else(path_, patience_, cancel_);
    create();
}

TargetFile::~TargetFile() {
    if (!published_ && !temporary_.empty()) remove_with_companions(temporary_);
}

void TargetFile::create() {
    std::string prefix = ".";
    prefix += fs::path(path_).filename().string() + kMark;
    sweep(directory_, prefix);
    for (;;) {
        const std::string name = (fs::path(directory_) / (prefix + random_suffix())).string();
        Descriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!file && errno == EEXIST) continue;
        if (!file) bk::throw_errno(errno, "cannot create " + in_quotes(name));
        temporary_ = name;
        if (::flock(file.get(), LOCK_EX) != 0)
            bk::throw_errno(errno, "cannot lock " + in_quotes(name));
        struct stat info {};
        if (::fstat(file.get(), &info) != 0)
            bk::throw_errno(errno, "cannot stat " + in_quotes(name));
        if (info.st_nlink == 0) continue; // another restore swept it before it was locked
        file_ = std::move(file);
        return;
    }
}

void TargetFile::check_target() const {
    const bool there = exists(path_);
    if (there && existing_ == Existing::refuse)
        throw bk::Error(BK_E_EXISTS, "the target " + in_quotes(path_) + " exists",
                        "restore under another name, or say --replace");
    if (there) return; // its companions are its own
    for (const char* ending : kCompanions)
        if (exists(path_ + ending))
            throw bk::Error(BK_E_EXISTS,
                            "beside the target lies " + in_quotes(path_ + ending) +
                                " of an older database",
                            "SQLite would mix it into the restored one; move it away");
}

/// Mode and owner of the file that is replaced, else those of any new file.
void TargetFile::adopt_mode() {
    struct stat old {
    }, own{};
    const bool there = existing_ == Existing::replace && ::stat(path_.c_str(), &old) == 0;
    if (::fstat(file_.get(), &own) != 0)
        bk::throw_errno(errno, "cannot stat " + in_quotes(temporary_));
    const bool others = there && (old.st_uid != own.st_uid || old.st_gid != own.st_gid);
    if (others && ::fchown(file_.get(), old.st_uid, old.st_gid) != 0)
        bk::throw_errno(errno, "cannot give " + in_quotes(temporary_) + " the owner of the target",
                        "restore as the owner of the database, or under another name");
    if (::fchmod(file_.get(), there ? old.st_mode & 07777 : new_file_mode()) != 0)
        bk::throw_errno(errno, "cannot set the mode of " + in_quotes(temporary_));
}

void TargetFile::move_if_absent() {
    check_target();
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0)
        return;
    // A file system without this flag can do the same with a second name.
    if (errno == EINVAL && ::link(temporary_.c_str(), path_.c_str()) == 0) {
        ::unlink(temporary_.c_str());
        return;
    }
    bk::throw_errno(errno, "cannot name the restored database " + in_quotes(path_));
}

void TargetFile::move_over() {
    if (!exists(path_)) return move_if_absent();
    ExclusiveHold hold(path_, patience_, cancel_); // to the end, so that nobody opens the old one
    hold.fold_log();
    for (const char* ending : kCompanions)
        if (::unlink((path_ + ending).c_str()) != 0 && errno != ENOENT)
            bk::throw_errno(errno, "cannot remove " + in_quotes(path_ + ending));
    if (::rename(temporary_.c_str(), path_.c_str()) != 0)
        bk::throw_errno(errno,
                        "cannot put the restored database in the place of " + in_quotes(path_));
}

void TargetFile::sync_directory() const {
    const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(directory.get()) != 0)
        bk::throw_errno(errno, "cannot make the name durable in " + in_quotes(directory_));
}

void TargetFile::sync() const {
    if (::fsync(file_.get()) != 0) bk::throw_errno(errno, "cannot sync " + in_quotes(temporary_));
}

void TargetFile::publish() {
    adopt_mode();
    sync();
    if (existing_ == Existing::refuse)
        move_if_absent();
    else
        move_over();
    published_ = true;
    sync_directory();
}

void write_at(int descriptor, const void* data, size_t size, uint64_t offset,
              const std::string& path) {
    const auto* from = static_cast<const uint8_t*>(data);
    while (size > 0) {
        const ssize_t done = ::pwrite(descriptor, from, size, static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) bk::throw_errno(errno, "cannot write to " + in_quotes(path));
        from += done;
        size -= static_cast<size_t>(done);
        offset += static_cast<uint64_t>(done);
    }
}

} // namespace sqlite_driver
