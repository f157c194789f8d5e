// What every fuzz target shares. A target takes any bytes; only bk::Error may come out of the code
// under test, and the target looks at that too.
#pragma once

#include <bkhost/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace bkhost::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

/// Ends the run as a crash does.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
}

/// Runs the body; false when it threw one of these, and a crash when it threw another error.
template <class Body>
bool succeeds(std::initializer_list<bk_status> allowed, Body&& body) {
    try {
        body();
        return true;
    } catch (const bk::Error& error) {
        for (const bk_status status : allowed)
            if (error.status() == status) return false;
        std::fprintf(stderr, "status %d: %s\n", static_cast<int>(error.status()), error.what());
        std::abort();
    }
}

} // namespace bkhost::fuzz
