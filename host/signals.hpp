// SIGINT and SIGTERM as a stop token: the first one cancels the work, a second one ends the
// process.
#pragma once

#include <atomic>
#include <stop_token>
#include <thread>

namespace bkhost {

/// One a process, made before other threads. SIGPIPE and SIGXFSZ are ignored from then on.
class SignalWatch {
public:
    SignalWatch();
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }
    /// The signal that came, 0 for none.
    [[nodiscard]] int signal() const noexcept { return signal_; }

private:
    void watch();

    std::stop_source stop_;
    std::atomic<int> signal_{0};
    std::thread thread_;
};

} // namespace bkhost
