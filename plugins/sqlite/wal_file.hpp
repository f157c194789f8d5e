// The write-ahead log up to one committed frame: checks every checksum on the way and remembers the
// last frame of each page. Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include "cancel.hpp"
#include "wal_index.hpp"

#include <span>
#include <string>
#include <vector>

namespace sqlite_driver {

/// SQLite's checksum of the log over whole 8-byte groups, continuing from `sum`.
[[nodiscard]] std::array<uint32_t, 2> wal_checksum(std::array<uint32_t, 2> sum,
                                                   std::span<const uint8_t> data, bool big_endian);

/// Where the newest content of each page lies in the log. Takes 8 bytes a frame. Immutable.
class WalPages {
public:
    /// No page is in the log.
    WalPages() = default;
    /// Reads frames 1..head.frames. Whoever calls holds a read lock that keeps them (snapshot.hpp).
    /// Throws CORRUPT when they are not exactly what `head` stands for.
    WalPages(sqlite3_file* log, const WalHead& head, const std::string& object,
             const Cancel& cancel);

    /// The first page at or after `page` that the log holds; 0 when there is none.
    [[nodiscard]] uint32_t next(uint32_t page) const;
    /// Fills `out` (one page) with a page that next() named.
    void read(uint32_t page, std::span<uint8_t> out) const;

private:
    struct Entry {
        uint32_t page, frame;
    };
    [[nodiscard]] std::vector<Entry>::const_iterator at_or_after(uint32_t page) const;

    sqlite3_file* log_ = nullptr;
    std::string object_;
    std::vector<Entry> entries_; ///< by page, one each
};

} // namespace sqlite_driver
