#include "core/pipeline/rate_limit.hpp"

#include "core/testing/fake_clock.hpp"

#include <bkhost/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>
#include <vector>

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RateLimitTest : public ::testing::Test {
protected:
    FakeClock clock_;
};

TEST_F(RateLimitTest, APieceWaitsForItsOwnTimeAndTheOnesBeforeIt) {
    clock_.sleeping_passes = true;
    RateLimit limit(1000, clock_);
    for (int i = 0; i < 3; ++i)
        limit.take(500, {});
    limit.take(4000, {}); // more than the bucket holds
    EXPECT_THAT(clock_.sleeps(), ElementsAre(500, 500, 500, 4000));
}

TEST_F(RateLimitTest, APauseSavesUpOneSecondAndNoMore) {
    clock_.sleeping_passes = true;
    RateLimit limit(1000, clock_);
    clock_.pass(3'600'000);
    limit.take(1000, {});
    EXPECT_THAT(clock_.sleeps(), IsEmpty());
    limit.take(1000, {});
    EXPECT_THAT(clock_.sleeps(), ElementsAre(1000));
}

TEST_F(RateLimitTest, WhatIsTooSmallForAMillisecondAddsUp) {
    clock_.sleeping_passes = true;
    RateLimit limit(10'000'000, clock_);
    const int64_t began = clock_.monotonic_ms();
    for (int i = 0; i < 20'000; ++i)
        limit.take(1000, {});
    EXPECT_NEAR(static_cast<double>(clock_.monotonic_ms() - began), 2000, 2);
}

/// Two threads get half the rate each, not the rate each.
TEST_F(RateLimitTest, ThreadsShareIt) {
    RateLimit limit(1000, clock_);
    std::vector<std::future<void>> takers;
    for (int i = 0; i < 4; ++i)
        takers.push_back(std::async(std::launch::async, [&] { limit.take(1000, {}); }));
    clock_.wait_asleep(4);
    EXPECT_THAT(clock_.sleeps(), ::testing::UnorderedElementsAre(1000, 2000, 3000, 4000));
    clock_.pass(4000);
    for (std::future<void>& taker : takers)
        taker.get();
}

TEST_F(RateLimitTest, ACancelEndsTheWaitAtOnce) {
    RateLimit limit(1, clock_);
    std::stop_source stop;
    auto taker = std::async(std::launch::async, [&] { limit.take(1 << 30, stop.get_token()); });
    clock_.wait_asleep(1);
    stop.request_stop();
    try {
        taker.get();
        ADD_FAILURE() << "it was not cancelled";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CANCELLED);
    }
}

/// By the system's clock: an hour's wait ends with the cancel.
TEST(SystemClock, ASleepEndsWithTheCancel) {
    std::stop_source stop;
    auto sleeper = std::async(std::launch::async,
                              [&] { return Clock::system().sleep(3'600'000, stop.get_token()); });
    stop.request_stop();
    EXPECT_FALSE(sleeper.get());
    EXPECT_TRUE(Clock::system().sleep(1, {}));
}

} // namespace
} // namespace bkhost::test
