// Threads of one run: the first failure stops them all and is what the run ends with.
#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace bkhost {

/// start() and join() are confined to the thread that owns the crew; stop() and fail() are
/// thread-safe. The destructor stops and joins.
class Crew {
public:
    /// Stops when `outer` does.
    explicit Crew(std::stop_token outer);
    ~Crew();
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;

    [[nodiscard]] std::stop_token token() const noexcept { return stop_.get_token(); }
    void start(std::function<void()> body);
    /// Runs `body` in this thread; what it throws counts as the crew's failure.
    void run(const std::function<void()>& body) noexcept;
    void fail(std::exception_ptr error) noexcept;
    void stop() noexcept { stop_.request_stop(); }
    /// Waits for all threads; rethrows the first failure, or throws CANCELLED when stopped from
    /// outside.
    void join();
    /// Waits for all threads started so far, and says whether none failed; rethrows nothing.
    [[nodiscard]] bool wait() noexcept;
    /// Throws what join() would throw now.
    void check();

private:
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> link_;
    std::mutex mutex_;
    std::exception_ptr first_;
    bool first_is_cancel_ = false;
    std::vector<std::thread> threads_;
};

} // namespace bkhost
