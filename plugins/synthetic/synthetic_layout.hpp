// What a synthetic database is: the options of a dump, and what an archive keeps of them.
#pragma once

#include <cstdint>

namespace synthetic {

struct Layout {
    uint64_t size = 0; ///< bytes of all units together
    uint64_t seed = 0;
    uint32_t units = 1;
    int ratio = 1;

    /// As even as it goes; the first ones have a byte more.
    [[nodiscard]] uint64_t unit_size(uint32_t unit) const noexcept {
        return size / units + (unit < size % units ? 1 : 0);
    }
};

} // namespace synthetic
