// Where frames wait: order, who may enter the volume, bounds, and that a cancel ends every wait.
#include "core/pipeline/frame_flow.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <random>
#include <thread>

namespace bkhost {
namespace {

using testing::ElementsAre;

PackedPtr numbered(PackedPtr packed, uint64_t seq) {
    packed->seq = seq;
    return packed;
}

/// Runs a call that blocks, cancels, and gives the status with which it ended.
bk_status cancelled_status(std::stop_source& stop, const std::function<void()>& call) {
    auto ended = std::async(std::launch::async, [&]() -> bk_status {
        try {
            call();
        } catch (const bk::Error& error) {
            return error.status();
        }
        return BK_OK;
    });
    stop.request_stop();
    return ended.get();
}

TEST(FrameFlow, FramesComeOutInTheOrderInWhichTheyWereSubmitted) {
    FrameFlow flow(3, 16, {});
    for (uint32_t unit : {5u, 2u, 9u}) {
        FramePtr frame = flow.acquire();
        frame->phase = unit;
        flow.submit(unit, std::move(frame));
    }
    flow.close();
    std::vector<uint32_t> units;
    uint64_t seq = 0;
    while (FramePtr frame = flow.next()) {
        EXPECT_EQ(frame->seq, seq++);
        units.push_back(frame->phase);
        flow.recycle(std::move(frame));
    }
    EXPECT_THAT(units, ElementsAre(5, 2, 9));
    EXPECT_EQ(flow.submitted(), 3u);
    EXPECT_EQ(flow.next(), nullptr); // and stays at its end
}

TEST(FrameFlow, AFrameComesBackEmpty) {
    FrameFlow flow(1, 16, {});
    FramePtr frame = flow.acquire();
    EXPECT_EQ(frame->capacity, 16u);
    frame->size = 7;
    frame->more = true;
    frame->segments.resize(2);
    flow.recycle(std::move(frame));
    frame = flow.acquire();
    EXPECT_EQ(frame->size, 0u);
    EXPECT_FALSE(frame->more);
    EXPECT_TRUE(frame->segments.empty());
    flow.recycle(std::move(frame));
}

TEST(FrameFlow, NoMoreFramesThanWereMade) {
    FrameFlow flow(2, 16, {});
    FramePtr first = flow.acquire(), second = flow.acquire();
    std::atomic<bool> given_back{false};
    auto third = std::async(std::launch::async, [&] {
        FramePtr frame = flow.acquire();
        EXPECT_TRUE(given_back) << "a third frame out of two";
        return frame;
    });
    given_back = true;
    flow.recycle(std::move(first));
    FramePtr frame = third.get();
    EXPECT_NE(frame, nullptr);
}

TEST(FrameFlow, NobodyElseEntersTheVolumeWhileItIsHeld) {
    for (int round = 0; round < 200; ++round) {
        FrameFlow flow(6, 16, {});
        flow.hold(1);
        const auto submit = [&](uint32_t unit) {
            FramePtr frame = flow.acquire();
            frame->phase = unit;
            flow.submit(unit, std::move(frame));
        };
        std::thread two([&] { submit(2); });
        std::thread three([&] {
            flow.hold(3);
            submit(3);
            submit(3);
            flow.release(3);
        });
        submit(1);
        flow.hold(1);    // a second time does nothing
        flow.release(2); // not the holder: does nothing
        submit(1);
        flow.release(1);
        two.join();
        three.join();
        flow.close();
        std::vector<uint32_t> units;
        while (FramePtr frame = flow.next())
            units.push_back(frame->phase);
        ASSERT_THAT(units, testing::AnyOf(ElementsAre(1, 1, 2, 3, 3), ElementsAre(1, 1, 3, 3, 2)));
    }
}

TEST(FrameFlow, CloseWakesACompressorThatWaits) {
    FrameFlow flow(1, 16, {});
    auto next = std::async(std::launch::async, [&] { return flow.next(); });
    flow.close();
    EXPECT_EQ(next.get(), nullptr);
}

TEST(FrameFlow, CancelEndsEveryWait) {
    const auto acquire = [](FrameFlow& flow) { (void)flow.acquire(); };
    const auto next = [](FrameFlow& flow) { (void)flow.next(); };
    const auto hold = [](FrameFlow& flow) { flow.hold(2); };
    const auto submit = [](FrameFlow& flow) { flow.submit(2, std::make_unique<Frame>()); };
    const std::function<void(FrameFlow&)> calls[] = {acquire, next, hold, submit};
    for (const auto& call : calls) {
        std::stop_source stop;
        FrameFlow flow(1, 16, stop.get_token());
        const FramePtr taken = flow.acquire();
        flow.hold(1);
        EXPECT_EQ(cancelled_status(stop, [&] { call(flow); }), BK_E_CANCELLED);
    }
}

TEST(PackedFlow, TheWriterGetsThemInOrderHoweverTheyCome) {
    constexpr uint64_t kCount = 200;
    std::vector<uint64_t> order(kCount);
    for (uint64_t i = 0; i < kCount; ++i)
        order[i] = i;
    std::ranges::shuffle(order, std::mt19937_64(3));
    PackedFlow flow(kCount, {});
    std::thread writer([&] {
        uint64_t expected = 0;
        while (PackedPtr packed = flow.next())
            EXPECT_EQ(packed->seq, expected++);
        EXPECT_EQ(expected, kCount);
    });
    for (uint64_t seq : order)
        flow.put(numbered(flow.acquire(), seq));
    flow.close();
    writer.join();
}

TEST(PackedFlow, CloseGivesOutWhatStillWaits) {
    PackedFlow flow(2, {});
    flow.put(numbered(flow.acquire(), 1));
    flow.put(numbered(flow.acquire(), 0));
    flow.close();
    EXPECT_EQ(flow.next()->seq, 0u);
    EXPECT_EQ(flow.next()->seq, 1u);
    EXPECT_EQ(flow.next(), nullptr);
}

TEST(PackedFlow, NoMoreOutputsThanWereMade) {
    PackedFlow flow(1, {});
    PackedPtr first = flow.acquire();
    std::atomic<bool> given_back{false};
    auto second = std::async(std::launch::async, [&] {
        PackedPtr packed = flow.acquire();
        EXPECT_TRUE(given_back);
        return packed;
    });
    first->segments.resize(3);
    given_back = true;
    flow.recycle(std::move(first));
    EXPECT_TRUE(second.get()->segments.empty());
}

TEST(PackedFlow, CancelEndsEveryWait) {
    const std::function<void(PackedFlow&)> calls[] = {
        [](PackedFlow& flow) { (void)flow.acquire(); },
        [](PackedFlow& flow) { (void)flow.next(); },
    };
    for (const auto& call : calls) {
        std::stop_source stop;
        PackedFlow flow(1, stop.get_token());
        const PackedPtr taken = flow.acquire();
        EXPECT_EQ(cancelled_status(stop, [&] { call(flow); }), BK_E_CANCELLED);
    }
}

} // namespace
} // namespace bkhost
