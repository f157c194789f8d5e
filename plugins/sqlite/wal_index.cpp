// Reads the wal-index as SQLite's own readers do: the second copy first, then the first, and only
// two equal copies count (https://www.sqlite.org/walformat.html, 2.3.2).
#include "wal_index.hpp"

#include <sqlite3.h>

#include <atomic>

namespace sqlite_driver {
namespace {

constexpr int kRegionSize = 32768; // fixed by the format; SQLite insists on it
constexpr size_t kHeadWords = 12;  // 48 bytes, twice
constexpr size_t kBackfillWord = 24;

using Head = std::array<uint32_t, kHeadWords>;

Head copy(const volatile uint32_t* from) {
    Head head;
    for (size_t i = 0; i < kHeadWords; ++i)
        head[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
    return head;
}

/// The word at byte 12 is isInit, bigEndCksum and the page size, in the order of their addresses.
uint32_t page_size_of(uint32_t word) {
    const auto half = static_cast<uint16_t>(
        __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word >> 16U : word & 0xffffU);
    return half == 1 ? 65536 : half; // 65536 does not fit and is stored as 1
}

} // namespace

std::optional<WalIndex> WalIndex::of(sqlite3_file* database) {
    const sqlite3_io_methods* methods = database->pMethods;
    if (methods == nullptr || methods->iVersion < 2 || methods->xShmMap == nullptr)
        return std::nullopt;
    volatile void* memory = nullptr;
    const int code = methods->xShmMap(database, 0, kRegionSize, 0, &memory);
    // READONLY comes with a mapping when the -shm file may only be read.
    if ((code != SQLITE_OK && code != SQLITE_READONLY) || memory == nullptr) return std::nullopt;
    return WalIndex(memory);
}

std::optional<WalHead> WalIndex::head() const {
    const Head second = copy(words_ + kHeadWords);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const Head first = copy(words_);
    if (first != second) return std::nullopt;
    return WalHead{.version = first[0],
                   .change = first[2],
                   .page_size = page_size_of(first[3]),
                   .frames = first[4],
                   .pages = first[5],
                   .checksum = {first[6], first[7]},
                   .salt = {first[8], first[9]}};
}

uint32_t WalIndex::backfilled() const {
    return __atomic_load_n(words_ + kBackfillWord, __ATOMIC_SEQ_CST);
}

} // namespace sqlite_driver
