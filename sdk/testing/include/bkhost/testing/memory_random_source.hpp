// A bk_random_source over bytes in memory, for tests of what a driver takes out of a dump.
#pragma once

#include <bkhost/extract.hpp>

#include <cstring>
#include <limits>
#include <set>

namespace bk::inline v0 {

/// Confined to one thread.
class MemoryRandomSource {
public:
    explicit MemoryRandomSource(std::string_view bytes) : bytes_(bytes) {
        table_.size = bytes_.size();
    }
    MemoryRandomSource(const MemoryRandomSource&) = delete;
    MemoryRandomSource& operator=(const MemoryRandomSource&) = delete;

    [[nodiscard]] const bk_random_source* get() const noexcept { return &table_; }

    /// The n-th read from now on fails.
    void fail_at_read(uint64_t n, bk_status status = BK_E_UNAVAILABLE) noexcept {
        fail_at_ = reads_ + n;
        status_ = status;
    }
    [[nodiscard]] uint64_t reads() const noexcept { return reads_; }
    /// How many of the blocks of this size were touched, in bytes.
    [[nodiscard]] uint64_t touched() const noexcept { return blocks_.size() * kBlock; }
    static constexpr uint64_t kBlock = 4096;

private:
    static bk_status read_at(const bk_random_source* source, uint64_t offset, void* buffer,
                             size_t len, bk_error* error) noexcept {
        return guard(error, [&]() -> bk_status {
            auto& self = *static_cast<MemoryRandomSource*>(source->ctx);
            if (++self.reads_ == self.fail_at_)
                throw Error(self.status_, "the source failed, as the test wanted");
            if (offset > self.bytes_.size() || len > self.bytes_.size() - offset)
                throw Error(BK_E_INVALID, "a read past the end of the section");
            for (uint64_t block = offset / kBlock; block * kBlock < offset + len; ++block)
                self.blocks_.insert(block);
            std::memcpy(buffer, self.bytes_.data() + offset, len);
            return BK_OK;
        });
    }

    std::string bytes_;
    uint64_t reads_ = 0, fail_at_ = std::numeric_limits<uint64_t>::max();
    bk_status status_ = BK_E_UNAVAILABLE;
    std::set<uint64_t> blocks_;
    bk_random_source table_{sizeof(bk_random_source), 0, this, 0, read_at};
};

} // namespace bk::inline v0
