// Threads of one run: which failure wins, and that none is left behind.
#include "core/pipeline/crew.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>

namespace bkhost {
namespace {

using testing::StrEq;

/// Blocks until the token stops, as a stage does, and ends as a stage does then.
void wait_for_stop(const std::stop_token& token) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    changed.wait(lock, token, [] { return false; });
    throw bk::Error(BK_E_CANCELLED, "cancelled");
}

std::string failure_of(Crew& crew) {
    try {
        crew.join();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "none";
}

TEST(Crew, EndsWellWhenAllThreadsDo) {
    Crew crew({});
    std::atomic<int> done{0};
    for (int i = 0; i < 4; ++i)
        crew.start([&] { ++done; });
    EXPECT_TRUE(crew.wait());
    EXPECT_EQ(done, 4);
    EXPECT_NO_THROW(crew.check());
    EXPECT_NO_THROW(crew.join());
    EXPECT_FALSE(crew.token().stop_requested());
}

TEST(Crew, TheFirstFailureStopsTheOthersAndIsTheOneReported) {
    Crew crew({});
    for (int i = 0; i < 3; ++i)
        crew.start([&] { wait_for_stop(crew.token()); });
    crew.start([] { throw bk::Error(BK_E_NO_SPACE, "the disk is full"); });
    EXPECT_FALSE(crew.wait());
    EXPECT_THAT(failure_of(crew), StrEq("the disk is full"));
}

TEST(Crew, ACauseThatComesAfterItsConsequenceStillWins) {
    Crew crew({});
    crew.fail(std::make_exception_ptr(bk::Error(BK_E_CANCELLED, "cancelled")));
    crew.fail(std::make_exception_ptr(bk::Error(BK_E_CORRUPT, "the cause")));
    crew.fail(std::make_exception_ptr(bk::Error(BK_E_CORRUPT, "a later one")));
    crew.fail(std::make_exception_ptr(bk::Error(BK_E_CANCELLED, "cancelled again")));
    EXPECT_THAT(failure_of(crew), StrEq("the cause"));
}

TEST(Crew, AFailureOfAnotherTypeCountsToo) {
    Crew crew({});
    crew.start([] { throw std::bad_alloc(); });
    EXPECT_FALSE(crew.wait());
    EXPECT_THROW(crew.check(), std::bad_alloc);
}

TEST(Crew, RunInTheOwnThreadCountsAsTheCrews) {
    Crew crew({});
    crew.start([&] { wait_for_stop(crew.token()); });
    crew.run([] { throw bk::Error(BK_E_DENIED, "no right"); });
    EXPECT_TRUE(crew.token().stop_requested());
    EXPECT_THAT(failure_of(crew), StrEq("no right"));
}

TEST(Crew, StopFromOutsideIsCancelled) {
    std::stop_source outer;
    Crew crew(outer.get_token());
    crew.start([&] { wait_for_stop(crew.token()); });
    outer.request_stop();
    try {
        crew.join();
        FAIL() << "not cancelled";
    } catch (const bk::Error& error) {
        EXPECT_TRUE(error.cancelled());
    }
}

TEST(Crew, StopOfACrewWithoutAFailureIsCancelledToo) {
    Crew crew({});
    crew.start([] {});
    crew.stop();
    EXPECT_FALSE(crew.wait());
    EXPECT_THROW(crew.check(), bk::Error);
}

TEST(Crew, ACrewMadeAfterTheStopIsStoppedFromTheBeginning) {
    std::stop_source outer;
    outer.request_stop();
    Crew crew(outer.get_token());
    EXPECT_TRUE(crew.token().stop_requested());
}

TEST(Crew, TheDestructorStopsAndJoins) {
    std::atomic<bool> ended{false};
    std::latch started(1);
    {
        Crew crew({});
        crew.start([&, token = crew.token()] {
            started.count_down();
            try {
                wait_for_stop(token);
            } catch (const bk::Error&) {
                ended = true;
            }
        });
        started.wait();
    }
    EXPECT_TRUE(ended);
}

} // namespace
} // namespace bkhost
