// One committed state of a database, held by read transactions and known exactly.
//
// Two connections are opened: one lends its files to the page image, the other runs SQL (row proof,
// SQL script). Both see the same state, and in WAL mode no writer is blocked. Why this holds:
//
//  1. A connection's state is the head of the wal-index (WalHead) at the moment when SQLite took
//  its read
//     lock: SQLite compares the two after locking and starts again when they differ. The head
//     changes with every commit and every restart of the log and never returns to an earlier value,
//     so when it is the same before the first BEGIN and after the last first SELECT, each
//     connection's state is that head. If it differs, both transactions end and it is tried again;
//     that takes microseconds.
//  2. Say the head has M frames and B of them were backfilled (copied into the database file) when
//  the
//     locks were held. B only grows while the log is not restarted, and is stored after the
//     copying. a) B < M. Then B was below M at BEGIN too, so SQLite gave a read lock of the marks 1
//     to 4, not mark 0.
//        While it is held the log is not restarted: frames 1..M stay as they are, later ones come
//        after them. No frame past our mark, which is at most M, is copied into the file. So a page
//        with a frame among 1..M has its content in the last such frame, and no other page of the
//        file is written. Nor is the file cut: that is done only when the whole log is copied.
//     b) B = M: the file alone holds the whole state. With mark 0, nobody may copy anything into
//     the file
//        while we hold it; the log may be restarted, but it is not looked at. With marks 1 to 4
//        only frames past M are left to be copied, and none past our mark is. The file stays as it
//        is.
//  3. The frames are proved: salts, and checksums chained from the header of the log to the last
//  frame,
//     whose checksum is part of the head (wal_file.hpp).
//  4. With a rollback journal a SHARED lock keeps every commit out of the file. It is held for
//  `max_lock`
//     at most; then it is let go and the dump fails.
//
// Sources: https://www.sqlite.org/walformat.html (2.3, locks and marks), fileformat2.html,
// lockingv3.html.
#pragma once

#include "database.hpp"
#include "lock_limit.hpp"
#include "wal_file.hpp"

#include <atomic>
#include <optional>

namespace sqlite_driver {

struct SnapshotOptions {
    std::chrono::milliseconds patience{10'000}; ///< for locks of others
    std::chrono::milliseconds max_lock{60'000}; ///< with a rollback journal
};

/// Thread-safe where said; else confined.
class Snapshot {
public:
    /// Throws BUSY, DENIED, CORRUPT, INVALID (not a database, or empty).
    Snapshot(const std::string& path, const SnapshotOptions& options, const Cancel& cancel);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

    /// For one thread each. In WAL mode SQL on either sees the state.
    [[nodiscard]] Connection& files() noexcept { return files_; }
    [[nodiscard]] Connection& rows() noexcept { return rows_; }

    [[nodiscard]] uint32_t page_size() const noexcept { return page_size_; }
    [[nodiscard]] uint32_t pages() const noexcept { return pages_; }
    [[nodiscard]] const std::string& journal_mode() const noexcept { return journal_mode_; }
    /// Reads the frames that the state needs (2a above), if any.
    [[nodiscard]] WalPages wal_pages(const Cancel& cancel) const;

    /// Throws TIMEOUT once the lock was let go (4 above). Thread-safe.
    void check() const;
    /// At the end: throws when the state was not protected all the time. Confined, after all
    /// reading.
    void verify();
    /// Ends what runs. Thread-safe.
    void interrupt() noexcept;

private:
    void begin_wal(const Cancel& cancel);
    void begin_rollback();
    void read_pragmas();
    [[nodiscard]] WalHead stable_head(const Cancel& cancel) const;
    [[nodiscard]] bool log_unharmed(const WalHead& now) const;
    [[nodiscard]] uint32_t change_counter();

    SnapshotOptions options_;
    Connection files_, rows_;
    std::string journal_mode_;
    uint32_t page_size_ = 0, pages_ = 0;
    std::optional<WalIndex> index_; ///< in WAL mode
    WalHead head_;
    bool file_is_whole_ = true; ///< 2b above
    uint32_t change_counter_ = 0;
    std::atomic<bool> expired_{false};
    std::optional<LockLimit> limit_; ///< last: its thread uses the rest
};

} // namespace sqlite_driver
