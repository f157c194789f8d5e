#include "content.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace synthetic {
namespace {

size_t copy_from(Bytes from, uint64_t offset, std::span<uint8_t> to) {
    const size_t n = std::min<uint64_t>(to.size(), from.size() - offset);
    std::copy_n(from.data() + offset, n, to.data());
    return n;
}

} // namespace

void WholeContent::keep(Bytes data) {
    if (!data.empty()) chunks_.push_back({size(), {data.begin(), data.end()}});
}

size_t WholeContent::copy(uint64_t offset, std::span<uint8_t> to) const {
    const auto after = std::ranges::upper_bound(chunks_, offset, {}, &Chunk::offset);
    const Chunk& chunk = *std::prev(after);
    return copy_from(chunk.bytes, offset - chunk.offset, to);
}

void EndsContent::keep(Bytes data) {
    const Bytes first = data.first(std::min<uint64_t>(data.size(), kEnd - head_.size()));
    head_.insert(head_.end(), first.begin(), first.end());
    const Bytes last = data.last(std::min<uint64_t>(data.size(), kEnd));
    const size_t surplus =
        tail_.size() + last.size() > kEnd ? tail_.size() + last.size() - kEnd : 0;
    tail_.erase(tail_.begin(), tail_.begin() + static_cast<std::ptrdiff_t>(surplus));
    tail_.insert(tail_.end(), last.begin(), last.end());
}

size_t EndsContent::copy(uint64_t offset, std::span<uint8_t> to) const {
    if (offset < head_.size()) return copy_from(head_, offset, to);
    const uint64_t tail_begin = size() - tail_.size();
    if (offset >= tail_begin) return copy_from(tail_, offset - tail_begin, to);
    throw bk::Error(BK_E_UNSUPPORTED,
                    "null: byte " + std::to_string(offset) +
                        " is gone, only the first and the last 64 KiB of an object are kept",
                    "back up to another storage what is to be read again");
}

} // namespace synthetic
