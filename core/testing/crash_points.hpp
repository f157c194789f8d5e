// Ends the process without unwinding at one of its external effects: what SIGKILL or a power cut
// does, at a moment that the test chooses. For tests only.
#pragma once

#include <atomic>
#include <cstdint>
#include <unistd.h>

namespace bkhost::test {

enum class CrashAt { before, after };

/// Counts effects (a storage call that changes something, a commit of the catalog) of this process,
/// and ends it at the chosen one. One a process, since drivers and database hooks get no argument.
/// Thread-safe.
class CrashPoints {
public:
    static constexpr int kCrashed = 77; ///< exit status of a process that it ended

    /// At the n-th effect from now on.
    static void arm(CrashAt at, uint64_t nth) {
        (at == CrashAt::before ? left_before_ : left_after_) = nth;
    }
    static void before() { count(left_before_); }
    static void after() { count(left_after_); }

private:
    static void count(std::atomic<uint64_t>& left) {
        if (left.load() != 0 && left.fetch_sub(1) == 1) ::_exit(kCrashed);
    }
    static inline std::atomic<uint64_t> left_before_{0}, left_after_{0}; ///< 0: not armed
};

} // namespace bkhost::test
