// A limit for tests that would hang when the code has a deadlock. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <stop_token>
#include <utility>

namespace bkhost::test {

/// Runs `body` in a thread; when it takes longer than any sane run, the test fails and `stop` ends
/// every wait, so that the thread can be joined. Rethrows what the body threw.
template <class Body>
void with_time_limit(std::stop_source& stop, Body&& body,
                     std::chrono::seconds limit = std::chrono::seconds(90)) {
    auto done = std::async(std::launch::async, std::forward<Body>(body));
    if (done.wait_for(limit) == std::future_status::timeout) {
        ADD_FAILURE() << "still not done after " << limit.count() << " seconds: a deadlock";
        stop.request_stop();
    }
    done.get();
}

} // namespace bkhost::test
