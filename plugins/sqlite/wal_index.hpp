// The head of the wal-index: which frame of the write-ahead log was the last one committed, and how
// far the log is copied back into the database. SQLite maps it from the -shm file; it is only read
// here. Format: https://www.sqlite.org/walformat.html, section 2.1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

struct sqlite3_file;

namespace sqlite_driver {

/// One committed state of a database in WAL mode. Equal heads mean the same state: every commit
/// moves `change` and the frame checksum, every restart of the log its salts.
struct WalHead {
    uint32_t version = 0;
    uint32_t change = 0;
    uint32_t page_size = 0;
    uint32_t frames = 0; ///< mxFrame: frames 1..frames of the log belong to the state
    uint32_t pages = 0;  ///< size of the database; 0 when the log is empty
    std::array<uint32_t, 2> checksum{}; ///< of the last frame, cumulative
    std::array<uint32_t, 2> salt{};     ///< as they lie in the log, byte for byte

    [[nodiscard]] bool operator==(const WalHead&) const = default;
};

/// A view of the mapping that SQLite keeps as long as the connection is open. Thread-safe.
class WalIndex {
public:
    /// Nothing when the index is not shared memory (exclusive locking mode, or no right to make
    /// it).
    [[nodiscard]] static std::optional<WalIndex> of(sqlite3_file* database);

    /// Nothing while a writer is changing it: read again.
    [[nodiscard]] std::optional<WalHead> head() const;
    /// nBackfill: frames 1..n are in the database file, written completely.
    [[nodiscard]] uint32_t backfilled() const;

private:
    explicit WalIndex(const volatile void* memory) noexcept
        : words_(static_cast<const volatile uint32_t*>(memory)) {}
    const volatile uint32_t* words_;
};

} // namespace sqlite_driver
