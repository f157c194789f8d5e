// The limits of a run: rate, time and attempts.
#include "core/base/text.hpp"
#include "core/job/attempts.hpp"
#include "core/job/job_fixture.hpp"

#include <future>
#include <limits>

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kTwoHours = 7'200'000;

const bk::Error kCancelled(BK_E_CANCELLED, "cancelled");

bk::Error failure(bk_status status, uint32_t flags = 0, uint32_t retry_after_ms = 0) {
    bk::Error error(status, "made to fail");
    error.flags = flags;
    error.retry_after_ms = retry_after_ms;
    return error;
}

// -- the time

class TimeLimitTest : public ::testing::Test {
protected:
    FakeClock clock_;
    std::stop_source outer_;
};

TEST_F(TimeLimitTest, StopsWhenTheTimeIsOver) {
    const TimeLimit limit(clock_, kTwoHours, outer_.get_token());
    clock_.wait_asleep(1);
    clock_.pass(kTwoHours - 1);
    EXPECT_EQ(limit.left_ms(), 1);
    EXPECT_FALSE(limit.token().stop_requested());
    EXPECT_FALSE(limit.expired(kCancelled, "it"));
    std::promise<void> stopped;
    const std::stop_callback tell(limit.token(), [&] { stopped.set_value(); });
    clock_.pass(1);
    stopped.get_future().wait();
    const std::optional<bk::Error> late = limit.expired(kCancelled, "it");
    ASSERT_TRUE(late);
    EXPECT_EQ(late->status(), BK_E_TIMEOUT);
    EXPECT_STREQ(late->what(), "it timed out after 2h");
    EXPECT_FALSE(limit.expired(failure(BK_E_NO_SPACE), "it")) << "that is what failed";
    EXPECT_FALSE(outer_.stop_requested());
}

TEST_F(TimeLimitTest, ACancelFromOutsideIsACancel) {
    const TimeLimit limit(clock_, kTwoHours, outer_.get_token());
    outer_.request_stop();
    EXPECT_TRUE(limit.token().stop_requested());
    EXPECT_FALSE(limit.expired(kCancelled, "it"));
}

TEST_F(TimeLimitTest, WithoutALimitNobodyWatches) {
    const TimeLimit limit(clock_, 0, outer_.get_token());
    clock_.pass(kTwoHours * 1000);
    EXPECT_FALSE(limit.token().stop_requested());
    EXPECT_EQ(limit.left_ms(), std::numeric_limits<int64_t>::max());
    EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

// -- the attempts

TEST(MayPass, SomeFailuresDoAndOthersNever) {
    for (const bk_status status : {BK_E_UNAVAILABLE, BK_E_TIMEOUT, BK_E_BUSY})
        EXPECT_TRUE(may_pass(failure(status))) << bk::status_name(status);
    for (const bk_status status : {BK_E_CONFIG, BK_E_DENIED, BK_E_CORRUPT, BK_E_CANCELLED}) {
        EXPECT_FALSE(may_pass(failure(status))) << bk::status_name(status);
        EXPECT_FALSE(may_pass(failure(status, BK_ERR_RETRYABLE))) << bk::status_name(status);
    }
    EXPECT_FALSE(may_pass(failure(BK_E_NO_SPACE)));
    EXPECT_TRUE(may_pass(failure(BK_E_INTERNAL, BK_ERR_RETRYABLE)));
}

TEST(BackOff, DoublesUpToALimitWithAPartByChance) {
    const FakeClock clock;
    int64_t whole = 5'000;
    for (unsigned failures = 1; failures < 40; ++failures) {
        for (int i = 0; i < 20; ++i) {
            const int64_t wait = back_off_ms(failures, failure(BK_E_BUSY), clock);
            EXPECT_GE(wait, whole / 2) << failures;
            EXPECT_LE(wait, whole) << failures;
        }
        whole = std::min<int64_t>(whole * 2, 300'000);
    }
    EXPECT_EQ(back_off_ms(1, failure(BK_E_BUSY, 0, 999'000), clock), 999'000);
}

class Attempts : public ::testing::Test {
protected:
    FakeClock clock_;
    TestLog log_;
    std::stop_source stop_;
    unsigned calls_ = 0;

    /// Every call fails so until `good`, which does not.
    bk::Error run(unsigned retries, bk_status status, unsigned good = 1000, int64_t limit_ms = 0) {
        const TimeLimit limit(clock_, limit_ms, stop_.get_token());
        return error_of([&] {
            with_retries(retries, "it", limit, clock_, log_, [&] {
                if (++calls_ < good) throw failure(status);
            });
            throw bk::Error(BK_OK, "it went well");
        });
    }
};

TEST_F(Attempts, AreMadeUntilOneGoesWell) {
    clock_.sleeping_passes = true;
    EXPECT_STREQ(run(3, BK_E_UNAVAILABLE, 3).what(), "it went well");
    EXPECT_EQ(calls_, 3u);
    EXPECT_THAT(clock_.sleeps(), SizeIs(2));
    EXPECT_TRUE(log_.contains("it failed: made to fail; attempt 2 of 4 in "));
    EXPECT_TRUE(log_.contains("attempt 3 of 4 in "));
}

TEST_F(Attempts, EndWithTheLastFailure) {
    clock_.sleeping_passes = true;
    EXPECT_EQ(run(2, BK_E_BUSY).status(), BK_E_BUSY);
    EXPECT_EQ(calls_, 3u);
}

TEST_F(Attempts, AreNotRepeatedWithoutHopeOrWithoutLeave) {
    EXPECT_EQ(run(5, BK_E_DENIED).status(), BK_E_DENIED);
    EXPECT_EQ(run(0, BK_E_UNAVAILABLE).status(), BK_E_UNAVAILABLE);
    EXPECT_EQ(calls_, 2u);
    EXPECT_THAT(clock_.sleeps(), IsEmpty());
}

TEST_F(Attempts, ACancelEndsTheWaitAtOnce) {
    auto done = std::async(std::launch::async, [&] { return run(5, BK_E_UNAVAILABLE); });
    clock_.wait_asleep(1);
    stop_.request_stop();
    EXPECT_EQ(done.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(calls_, 1u);
}

TEST_F(Attempts, NobodyWaitsPastTheTimeLimit) {
    EXPECT_EQ(run(5, BK_E_UNAVAILABLE, 1000, 2'000).status(), BK_E_UNAVAILABLE);
    EXPECT_EQ(calls_, 1u);
}

// -- of a backup

class Limits : public JobTest {};

TEST_F(Limits, ARunThatTakesTooLongFailsAndLeavesNothing) {
    BackupRequest backup = request();
    backup.timeout_ms = kTwoHours;
    backup.retries = 3;
    set(backup.source, "hang", "true");
    auto run =
        std::async(std::launch::async, [&] { return error_of([&] { (void)back_up(backup); }); });
    source_->wait_hanging();
    clock_.wait_asleep(1);
    clock_.pass(kTwoHours);
    const bk::Error error = run.get();
    EXPECT_EQ(error.status(), BK_E_TIMEOUT);
    const BackupRow row = only_row();
    EXPECT_EQ(row.state, BackupState::failed);
    EXPECT_EQ(row.error, "backup '" + row.id + "' timed out after 2h");
    EXPECT_THAT(row.hint, HasSubstr("timeout"));
    expect_at_rest();
    expect_nothing_stored();
}

TEST_F(Limits, ACancelledRunWithATimeoutIsCancelled) {
    BackupRequest backup = request();
    backup.timeout_ms = kTwoHours;
    backup.retries = 3;
    set(backup.source, "hang", "true");
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_backup(context(stop.get_token()), backup); });
    });
    source_->wait_hanging();
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(only_row().state, BackupState::cancelled);
}

TEST_F(Limits, EachAttemptHasARowOfItsOwn) {
    clock_.sleeping_passes = true;
    here_->fail({.call = Call::upload});
    here_->fail({.call = Call::commit});
    BackupRequest backup = request();
    backup.retries = 2;
    const BackupOutcome outcome = back_up(backup);
    EXPECT_EQ(outcome.row.state, BackupState::completed);
    std::vector<BackupState> states;
    for (const BackupRow& row : catalog_.list())
        states.push_back(row.state);
    EXPECT_THAT(states,
                ElementsAre(BackupState::completed, BackupState::failed, BackupState::failed));
    (void)run_restore(context(), restore_request(outcome.row));
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
    expect_at_rest();
}

TEST_F(Limits, WhatCannotPassIsTriedOnce) {
    here_->fail({.call = Call::upload, .status = BK_E_DENIED, .lasting = true});
    BackupRequest backup = request();
    backup.retries = 5;
    EXPECT_EQ(error_of([&] { (void)back_up(backup); }).status(), BK_E_DENIED);
    EXPECT_EQ(only_row().state, BackupState::failed);
}

TEST_F(Limits, ACancelEndsTheWaitForTheNextAttempt) {
    here_->fail({.call = Call::upload, .lasting = true});
    BackupRequest backup = request();
    backup.retries = 5;
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_backup(context(stop.get_token()), backup); });
    });
    clock_.wait_asleep(1);
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(only_row().state, BackupState::failed) << "the attempt that was made";
    expect_at_rest();
}

/// By the clock that the limiter waits on: what all storages get divided by the time is the rate.
TEST_F(Limits, TheRateIsThatOfAllStoragesTogether) {
    clock_.sleeping_passes = true;
    const int64_t began = clock_.monotonic_ms();
    BackupRequest backup = request_for_two(2);
    backup.max_rate = 100'000;
    const BackupOutcome outcome = back_up(backup);
    const int64_t expected = outcome.row.stored_size * 2 / 100;
    EXPECT_GE(clock_.monotonic_ms() - began, expected);
    EXPECT_LE(clock_.monotonic_ms() - began, expected + 1000);
}

TEST_F(Limits, ACancelEndsTheWaitOfTheRate) {
    BackupRequest backup = request();
    backup.max_rate = 1;
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_backup(context(stop.get_token()), backup); });
    });
    clock_.wait_asleep(1);
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(here_->calls(Call::part), 0u);
    expect_at_rest();
    expect_nothing_stored();
}

} // namespace
} // namespace bkhost::test
