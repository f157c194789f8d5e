// One fault: at which call of which function what goes wrong. The grammar is in README.md.
#pragma once

#include <bkhost/error.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace faults {

/// What a function's faults can be beside those that any call can have.
enum : unsigned { kFlip = 1, kShort = 2, kTruncate = 4, kDrop = 8 };

/// A function of a kind that can be told to fail.
struct Function {
    std::string_view name;
    unsigned extra = 0;
};

enum class Action {
    error,    ///< returns an error instead of being called, or (`after`) although it was
    stall,    ///< waits; ends by interrupt and by cancellation
    block,    ///< waits; ends by interrupt alone
    hang,     ///< waits, whatever happens
    flip,     ///< one bit of the data is another
    shorten,  ///< half of the data are lost, and the call says that all went through
    truncate, ///< a reader ends here
    drop,     ///< does nothing and says that it was done
    raise,    ///< throws inside the driver; the SDK's guard catches it
    escape,   ///< throws out of a function that must not
    crash,    ///< abort()
    segv,     ///< SIGSEGV
    exit      ///< ends the process as if all were well
};

struct Fault {
    std::string function;
    std::string key; ///< only calls whose key holds this text count; "": all
    uint64_t first = 1, last = 1;
    Action action = Action::error;
    bk_status status = BK_E_INTERNAL;
    uint32_t flags = 0; ///< BK_ERR_RETRYABLE, BK_ERR_PARTIAL
    bool after = false;
    std::chrono::milliseconds time{0};
    int exit_status = 0;
};

/// Throws CONFIG, with what is wrong and what would be right.
[[nodiscard]] Fault parse_fault(std::string_view text, std::span<const Function> functions);

} // namespace faults
