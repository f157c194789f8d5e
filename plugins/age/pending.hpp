// Output that the caller had no room for yet.
#pragma once

#include <bkhost/transform.h>

#include <cstdint>
#include <span>
#include <vector>

namespace age_plugin {

/// A buffer that is filled once and then given out in pieces. Confined to one thread.
class Pending {
public:
    /// Makes room for `size` bytes, to be written at once. Only when empty() is true.
    [[nodiscard]] uint8_t* fill(size_t size);
    /// Moves what fits; true when nothing is left.
    bool drain(bk_out& out) noexcept;
    [[nodiscard]] bool empty() const noexcept { return given_ == bytes_.size(); }
    void clear() noexcept;

private:
    std::vector<uint8_t> bytes_;
    size_t given_ = 0;
};

/// Takes bytes until `buffer` holds `size`; true when it does.
bool collect(std::vector<uint8_t>& buffer, size_t size, bk_in& in);

} // namespace age_plugin
