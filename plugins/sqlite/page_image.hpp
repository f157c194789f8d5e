// Unit 0 of a page image: the pages of one state in order, as one section of whole-page fragments.
#pragma once

#include "snapshot.hpp"

#include <bkhost/dumper.hpp>

namespace sqlite_driver {

/// The page that holds byte 0x40000000, where SQLite puts its locks: never read or written, zeros
/// in the image (https://www.sqlite.org/fileformat2.html#the_lock_byte_page).
[[nodiscard]] constexpr uint32_t lock_page(uint32_t page_size) noexcept {
    return 0x40000000U / page_size + 1;
}

/// Gives pages of the snapshot. Confined; the snapshot lives longer.
class PageReader {
public:
    PageReader(Snapshot& snapshot, const Cancel& cancel);
    /// Fills `out` (whole pages) from page `first` on, counted from 1.
    void read(uint32_t first, std::span<uint8_t> out) const;

private:
    [[nodiscard]] uint32_t next_special(uint32_t page) const;

    sqlite3_file* file_;
    std::string object_;
    uint32_t page_size_, lock_page_;
    WalPages log_;
};

void dump_image(Snapshot& snapshot, const Cancel& cancel, bk::Host host, bk::Sink sink);

} // namespace sqlite_driver
