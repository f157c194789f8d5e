// The alarm clock's one thread: sleeps on a condition so that its end need not be waited for.
#include "lock_limit.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace sqlite_driver {
namespace {

constexpr std::chrono::milliseconds kRingAgain(10);

} // namespace

LockLimit::LockLimit(std::chrono::milliseconds after, std::function<bool()> ring)
    : thread_([deadline = std::chrono::steady_clock::now() + after,
               ring = std::move(ring)](const std::stop_token& stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          never.wait_until(lock, stop, deadline, [] { return false; });
          while (!stop.stop_requested() && !ring())
              never.wait_for(lock, stop, kRingAgain, [] { return false; });
      }) {}

} // namespace sqlite_driver
