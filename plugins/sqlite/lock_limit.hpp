// An alarm clock for a lock that keeps others out: rings after a time, unless it is destroyed
// first.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <thread>

namespace sqlite_driver {

class LockLimit {
public:
    /// `ring` is called on a thread of this object, again and again until it says that the lock is
    /// gone.
    LockLimit(std::chrono::milliseconds after, std::function<bool()> ring);

private:
    std::jthread thread_;
};

} // namespace sqlite_driver
