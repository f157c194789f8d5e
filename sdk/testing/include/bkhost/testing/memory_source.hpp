// A bk_source over bytes in memory, for tests of what a driver reads: loads and restores.
#pragma once

#include <bkhost/plugin.hpp>

#include <algorithm>
#include <cstring>
#include <limits>

namespace bk::inline v0 {

/// Gives its bytes in chunks of at most `chunk`, so that a driver cannot rely on where one read
/// ends. Confined to one thread.
class MemorySource {
public:
    explicit MemorySource(std::string_view bytes, size_t chunk = std::numeric_limits<size_t>::max())
        : bytes_(bytes), chunk_(std::max<size_t>(chunk, 1)) {}
    MemorySource(const MemorySource&) = delete;
    MemorySource& operator=(const MemorySource&) = delete;

    [[nodiscard]] bk_source* get() noexcept { return &table_; }
    [[nodiscard]] Source source() noexcept { return Source(&table_); }

    /// Bytes before `offset` are given, then every read fails.
    void fail_at(uint64_t offset, bk_status status = BK_E_UNAVAILABLE) noexcept {
        fail_at_ = offset;
        status_ = status;
    }
    /// How many bytes were read.
    [[nodiscard]] uint64_t position() const noexcept { return position_; }
    /// Whether the end was seen: a loader that stops early may have missed something.
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    static bk_status read(bk_source* source, void* buffer, size_t cap, size_t* got,
                          bk_error* error) noexcept {
        auto& self = *static_cast<MemorySource*>(source->ctx);
        *got = 0;
        if (self.position_ >= self.fail_at_)
            return store_error(error, self.status_, "the source failed, as the test wanted");
        const uint64_t end = std::min<uint64_t>(self.bytes_.size(), self.fail_at_);
        if (self.position_ == end) {
            self.ended_ = true;
            return BK_END;
        }
        *got = static_cast<size_t>(
            std::min<uint64_t>(std::min(cap, self.chunk_), end - self.position_));
        std::memcpy(buffer, self.bytes_.data() + self.position_, *got);
        self.position_ += *got;
        return BK_OK;
    }

    std::string bytes_;
    size_t chunk_;
    uint64_t position_ = 0;
    uint64_t fail_at_ = std::numeric_limits<uint64_t>::max();
    bk_status status_ = BK_E_UNAVAILABLE;
    bool ended_ = false;
    bk_source table_{sizeof(bk_source), 0, this, read};
};

} // namespace bk::inline v0
