// Reading and proving the frames of a write-ahead log.
#include "wal_file.hpp"

#include "database.hpp"

#include <algorithm>
#include <cstring>

namespace sqlite_driver {
namespace {

constexpr size_t kLogHeader = 32;
constexpr size_t kFrameHeader = 24;
constexpr size_t kRunBytes = 1U << 20U;
constexpr uint32_t kMagic = 0x377f0682; // the lowest bit: checksums over big-endian words
constexpr uint32_t kFormat = 3007000;

using Sum = std::array<uint32_t, 2>;

uint32_t native(const uint8_t* at) {
    uint32_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

uint32_t big_endian(const uint8_t* at) {
    return uint32_t{at[0]} << 24U | uint32_t{at[1]} << 16U | uint32_t{at[2]} << 8U | at[3];
}

template <bool swap>
Sum sum_words(Sum sum, std::span<const uint8_t> data) {
    for (size_t i = 0; i + 8 <= data.size(); i += 8) {
        const uint32_t a = native(&data[i]);
        const uint32_t b = native(&data[i + 4]);
        sum[0] += (swap ? __builtin_bswap32(a) : a) + sum[1];
        sum[1] += (swap ? __builtin_bswap32(b) : b) + sum[0];
    }
    return sum;
}

[[noreturn]] void damaged(const std::string& object, const std::string& what) {
    throw bk::Error(BK_E_CORRUPT, object + ": the write-ahead log is damaged: " + what,
                    "run PRAGMA integrity_check and PRAGMA wal_checkpoint on the database");
}

/// Walks the frames in order and checks each against the one before.
class Chain {
public:
    Chain(const WalHead& head, std::span<const uint8_t> header, const std::string& object)
        : head_(head), object_(object), big_endian_((big_endian(&header[0]) & 1U) != 0) {
        if ((big_endian(&header[0]) & ~1U) != kMagic || big_endian(&header[4]) != kFormat)
            damaged(object_, "its header is not one of SQLite 3");
        if (big_endian(&header[8]) != head.page_size) damaged(object_, "another page size");
        if (!same_salts(&header[16])) damaged(object_, "its salts are not those of the wal-index");
        sum_ = wal_checksum({0, 0}, header.first(24), big_endian_);
        if (!stored_sum_is(&header[24])) damaged(object_, "wrong checksum of its header");
    }

    /// Gives the page that the frame holds.
    uint32_t take(uint32_t number, std::span<const uint8_t> frame) {
        sum_ = wal_checksum(sum_, frame.first(8), big_endian_);
        sum_ = wal_checksum(sum_, frame.subspan(kFrameHeader), big_endian_);
        if (!same_salts(&frame[8]) || !stored_sum_is(&frame[16]))
            damaged(object_, "frame " + std::to_string(number) + " has a wrong checksum");
        commit_size_ = big_endian(&frame[4]);
        return big_endian(&frame[0]);
    }

    /// After the last frame: is it the one that the wal-index names?
    void finish() const {
        if (sum_ != head_.checksum || commit_size_ != head_.pages)
            damaged(object_, "its last frame is not the commit that the wal-index names");
    }

private:
    [[nodiscard]] bool same_salts(const uint8_t* at) const {
        return std::memcmp(at, head_.salt.data(), sizeof head_.salt) == 0;
    }
    [[nodiscard]] bool stored_sum_is(const uint8_t* at) const {
        return big_endian(at) == sum_[0] && big_endian(at + 4) == sum_[1];
    }

    const WalHead& head_;
    const std::string& object_;
    bool big_endian_;
    Sum sum_{};
    uint32_t commit_size_ = 0;
};

} // namespace

std::array<uint32_t, 2> wal_checksum(std::array<uint32_t, 2> sum, std::span<const uint8_t> data,
                                     bool big_endian) {
    constexpr bool native_is_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return big_endian == native_is_big ? sum_words<false>(sum, data) : sum_words<true>(sum, data);
}

WalPages::WalPages(sqlite3_file* log, const WalHead& head, const std::string& object,
                   const Cancel& cancel)
    : log_(log), object_(object) {
    std::array<uint8_t, kLogHeader> header{};
    read_exactly(log, header, 0, object);
    Chain chain(head, header, object);

    const size_t frame_size = kFrameHeader + head.page_size;
    if (file_size(log, object) < kLogHeader + uint64_t{head.frames} * frame_size)
        damaged(object, "it ends before the last frame");
    const auto run = static_cast<uint32_t>(std::max<size_t>(1, kRunBytes / frame_size));
    std::vector<uint8_t> buffer(run * frame_size);
    entries_.reserve(head.frames);
    for (uint32_t done = 0; done < head.frames;) {
        cancel.check();
        const uint32_t count = std::min(run, head.frames - done);
        const std::span<uint8_t> bytes(buffer.data(), count * frame_size);
        read_exactly(log, bytes, kLogHeader + uint64_t{done} * frame_size, object);
        for (uint32_t i = 0; i < count; ++i) {
            const uint32_t number = ++done;
            entries_.push_back(
                {chain.take(number, bytes.subspan(i * frame_size, frame_size)), number});
        }
    }
    chain.finish();

    // Of the frames of a page the newest counts: it comes first, and unique keeps the first.
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.page != b.page ? a.page < b.page : a.frame > b.frame;
    });
    const auto same_page = [](const Entry& a, const Entry& b) { return a.page == b.page; };
    entries_.erase(std::unique(entries_.begin(), entries_.end(), same_page), entries_.end());
}

std::vector<WalPages::Entry>::const_iterator WalPages::at_or_after(uint32_t page) const {
    return std::lower_bound(
        entries_.begin(), entries_.end(), page,
        [](const Entry& entry, uint32_t wanted) { return entry.page < wanted; });
}

uint32_t WalPages::next(uint32_t page) const {
    const auto found = at_or_after(page);
    return found == entries_.end() ? 0 : found->page;
}

void WalPages::read(uint32_t page, std::span<uint8_t> out) const {
    const uint64_t frame = at_or_after(page)->frame;
    const uint64_t offset = kLogHeader + (frame - 1) * (kFrameHeader + out.size()) + kFrameHeader;
    read_exactly(log_, out, offset, object_);
}

} // namespace sqlite_driver
