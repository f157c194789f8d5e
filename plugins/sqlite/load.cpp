// The page image back into a file, and the check before the file gets its name.
#include "load.hpp"

#include "database.hpp"

#include <future>
#include <utility>

#include <fcntl.h>
#include <sqlite3.h>

namespace sqlite_driver {
namespace {

// Small enough to stay in the processor's cache between the two copies, and for the system to find
// memory for it without clearing large blocks: 1 MiB took twice the processor time.
constexpr size_t kBuffer = 64U << 10U;
constexpr uint64_t kWriteBack = 8U << 20U; // at once: large enough for a disk, small beside memory

/// A full disk should be known before gigabytes are written; not every file system can tell.
void reserve(const TargetFile& target, uint64_t size) {
    if (size == 0 ||
        ::fallocate(target.descriptor(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) == 0)
        return;
    if (errno == ENOSPC || errno == EDQUOT)
        bk::throw_errno(
            errno, "no room for " + std::to_string(size) + " bytes in '" + target.temporary() + "'",
            "free space, or restore to another file system");
}

} // namespace

void check_integrity(const std::string& path, IntegrityCheck level, bk::Host host,
                     const Cancel& cancel) {
    if (level == IntegrityCheck::none) return;
    Connection connection(path, Access::immutable, std::chrono::milliseconds(0), cancel);
    std::string complaint;
    try {
        complaint = connection.text(level == IntegrityCheck::quick ? "PRAGMA quick_check(1)"
                                                                   : "PRAGMA integrity_check(1)");
    } catch (const bk::Error& error) {
        const auto code = error.native_code & 0xff; // of the extended one
        if (code == SQLITE_ERROR)
            return host.warn("integrity-check", path, "not checked: " + error.message());
        if (code != SQLITE_NOTADB) throw;
        complaint = "not a SQLite database";
    }
    if (complaint != "ok")
        throw bk::Error(BK_E_CORRUPT, "the restored database is damaged: " + complaint,
                        "restore an older backup; integrity-check=none keeps this one");
}

ImageLoad::ImageLoad(std::unique_ptr<TargetFile> target, uint64_t size, IntegrityCheck check,
                     bk::Host host, const Cancel& cancel)
    : target_(std::move(target)), size_(size), check_(check), host_(host), cancel_(cancel),
      buffer_(kBuffer) {
    reserve(*target_, size);
}

void ImageLoad::load(const bk_load_unit& unit, bk::Source source) {
    if (unit.section_offset != written_)
        throw bk::Error(BK_E_INVALID, "a piece of the page image came out of order");
    while (const size_t got = source.read(buffer_)) {
        cancel_.check();
        if (got > size_ - written_)
            throw bk::Error(BK_E_CORRUPT, "the page image is longer than its " +
                                              std::to_string(size_) + " bytes");
        write_at(target_->descriptor(), buffer_.data(), got, written_, target_->temporary());
        written_ += got;
        write_back();
    }
}

/// Has the system begin to write, so that the sync at the end finds little left; a hint, and what
/// fails is found by that sync.
void ImageLoad::write_back() noexcept {
    if (written_ - given_to_disk_ < kWriteBack) return;
    (void)::sync_file_range(target_->descriptor(), static_cast<off_t>(given_to_disk_),
                            static_cast<off_t>(written_ - given_to_disk_), SYNC_FILE_RANGE_WRITE);
    given_to_disk_ = written_;
}

void ImageLoad::end(bool ok) {
    if (!ok) return target_.reset();
    if (written_ != size_)
        throw bk::Error(BK_E_CORRUPT, "the page image ends after " + std::to_string(written_) +
                                          " of " + std::to_string(size_) + " bytes");
    // The check reads what the system writes: neither waits for the other.
    std::future<void> synced = std::async(std::launch::async, [&] { target_->sync(); });
    check_integrity(target_->temporary(), check_, host_, cancel_);
    synced.get();
    target_->publish();
}

} // namespace sqlite_driver
