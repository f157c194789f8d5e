// Carry-over between calls of process(), in both directions.
#include "pending.hpp"

#include <algorithm>
#include <cstring>

namespace age_plugin {

uint8_t* Pending::fill(size_t size) {
    bytes_.resize(size);
    given_ = 0;
    return bytes_.data();
}

bool Pending::drain(bk_out& out) noexcept {
    const size_t size = std::min(out.cap - out.pos, bytes_.size() - given_);
    if (size > 0) std::memcpy(out.data + out.pos, bytes_.data() + given_, size);
    out.pos += size;
    given_ += size;
    return empty();
}

void Pending::clear() noexcept {
    bytes_.clear();
    given_ = 0;
}

bool collect(std::vector<uint8_t>& buffer, size_t size, bk_in& in) {
    const size_t more = std::min(size - buffer.size(), in.len - in.pos);
    buffer.insert(buffer.end(), in.data + in.pos, in.data + in.pos + more);
    in.pos += more;
    return buffer.size() == size;
}

} // namespace age_plugin
