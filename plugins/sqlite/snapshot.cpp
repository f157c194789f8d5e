// Takes and keeps the state; the reasons stand in the header.
#include "snapshot.hpp"

#include <array>
#include <thread>

namespace sqlite_driver {
namespace {

constexpr uint32_t kIndexFormat = 3007000;
constexpr uint64_t kChangeCounterOffset = 24; // of page 1
constexpr const char* kUseWal = "put the database into WAL mode, back up a copy (sqlite3 FILE "
                                "\".backup COPY\"), or raise max-lock";

std::chrono::steady_clock::time_point after(std::chrono::milliseconds time) {
    return std::chrono::steady_clock::now() + time;
}

/// A transaction that has its read lock. Statements are prepared once, to keep the race short.
class Reader {
public:
    explicit Reader(Connection& connection)
        : begin_(connection.prepare("BEGIN")), end_(connection.prepare("ROLLBACK")),
          touch_(connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1")) {}

    void begin() {
        run(begin_);
        run(touch_);
    }
    void end() { run(end_); }

private:
    static void run(Statement& statement) {
        (void)statement.step();
        statement.reset();
    }
    Statement begin_, end_, touch_;
};

} // namespace

Snapshot::Snapshot(const std::string& path, const SnapshotOptions& options, const Cancel& cancel)
    : options_(options), files_(path, Access::read, options.patience, cancel),
      rows_(path, Access::read, options.patience, cancel) {
    journal_mode_ = files_.text("PRAGMA journal_mode");
    const bool wal = journal_mode_ == "wal";
    if (wal)
        begin_wal(cancel);
    else
        begin_rollback();
    read_pragmas();
}

Snapshot::~Snapshot() {
    limit_.reset();
    (void)files_.rollback();
    (void)rows_.rollback();
}

WalHead Snapshot::stable_head(const Cancel& cancel) const {
    const auto deadline = after(options_.patience);
    for (;;) {
        if (const std::optional<WalHead> head = index_->head()) return *head;
        cancel.check();
        if (std::chrono::steady_clock::now() > deadline)
            throw bk::Error(BK_E_CORRUPT, files_.object() + ": the wal-index is torn",
                            "a writer died; open the database with sqlite3 once to recover it");
        std::this_thread::yield();
    }
}

void Snapshot::begin_wal(const Cancel& cancel) {
    // The first read opens the log and, after a crash, recovers it.
    (void)rows_.number("SELECT count(*) FROM sqlite_schema");
    index_ = WalIndex::of(files_.file());
    if (!index_)
        throw bk::Error(
            BK_E_DENIED, files_.object() + ": its wal-index (-shm file) cannot be shared",
            "give the right to write the -shm file or to make it; a writer in exclusive "
            "locking mode keeps others out");
    Reader files(files_);
    Reader rows(rows_);
    const auto deadline = after(options_.patience);
    for (;;) {
        cancel.check();
        head_ = stable_head(cancel);
        files.begin();
        rows.begin();
        const uint32_t backfilled = index_->backfilled(); // before the head is read again: see 2
        if (index_->head() == head_) {
            file_is_whole_ = backfilled == head_.frames;
            break;
        }
        files.end();
        rows.end();
        if (std::chrono::steady_clock::now() > deadline) {
            bk::Error busy(BK_E_BUSY, files_.object() + ": no moment between two commits was found",
                           "raise busy-timeout, or back up when fewer commits are made");
            busy.flags = BK_ERR_RETRYABLE;
            throw busy;
        }
    }
    if (head_.version != kIndexFormat)
        throw bk::Error(BK_E_UNSUPPORTED, files_.object() + ": unknown format of the wal-index");
}

void Snapshot::begin_rollback() {
    Reader(files_).begin();
    Reader(rows_).begin();
    limit_.emplace(options_.max_lock, [this] {
        expired_ = true;
        rows_.interrupt();
        const bool files_gone = files_.rollback();
        const bool rows_gone = rows_.rollback(); // fails while a statement has yet to notice
        return files_gone && rows_gone;
    });
}

void Snapshot::read_pragmas() {
    page_size_ = static_cast<uint32_t>(files_.number("PRAGMA page_size"));
    pages_ = static_cast<uint32_t>(files_.number("PRAGMA page_count"));
    if (files_.text("PRAGMA journal_mode") != journal_mode_) {
        bk::Error busy(BK_E_BUSY, files_.object() + ": its journal mode changes just now");
        busy.flags = BK_ERR_RETRYABLE;
        throw busy;
    }
    if (pages_ == 0)
        throw bk::Error(BK_E_INVALID, files_.object() + " is empty",
                        "a database has at least one page; is this the right file?");
    const bool log_agrees =
        !index_ || head_.frames == 0 || (head_.page_size == page_size_ && head_.pages >= pages_);
    if (!log_agrees)
        throw bk::Error(BK_E_CORRUPT,
                        files_.object() + ": its size in the header and in the log differ");
    if (!index_) change_counter_ = change_counter();
}

WalPages Snapshot::wal_pages(const Cancel& cancel) const {
    if (file_is_whole_) return {};
    return WalPages(files_.wal_file(), head_, files_.object(), cancel);
}

uint32_t Snapshot::change_counter() {
    std::array<uint8_t, 4> bytes{};
    read_exactly(files_.file(), bytes, kChangeCounterOffset, files_.object());
    return uint32_t{bytes[0]} << 24U | uint32_t{bytes[1]} << 16U | uint32_t{bytes[2]} << 8U |
           bytes[3];
}

void Snapshot::check() const {
    if (!expired_) return;
    throw bk::Error(BK_E_TIMEOUT,
                    files_.object() + ": writers were locked out for " +
                        std::to_string(options_.max_lock.count()) +
                        " ms (max-lock), so the dump was given up",
                    kUseWal);
}

bool Snapshot::log_unharmed(const WalHead& now) const {
    if (now.salt == head_.salt) return index_->backfilled() <= head_.frames;
    // Restarted: allowed under mark 0 only, and then nothing of the new log may be in the file.
    return file_is_whole_ && index_->backfilled() == 0;
}

void Snapshot::verify() {
    check();
    bool unharmed = false;
    if (index_) {
        // A restart stores its salts first and the backfill after: look again before judging.
        const auto deadline = after(std::chrono::milliseconds(1000));
        do {
            const std::optional<WalHead> now = index_->head();
            unharmed = now && log_unharmed(*now);
            if (!unharmed) std::this_thread::yield();
        } while (!unharmed && std::chrono::steady_clock::now() < deadline);
    } else {
        unharmed = change_counter() == change_counter_;
    }
    if (!unharmed)
        throw bk::Error(
            BK_E_INTERNAL, files_.object() + ": the read lock was lost during the dump",
            "something in this process opened and closed the file itself; run the backup "
            "in a process of its own");
    check();
}

void Snapshot::interrupt() noexcept {
    files_.interrupt();
    rows_.interrupt();
}

} // namespace sqlite_driver
