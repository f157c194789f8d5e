// What memory() says is enough for what the instances take, at every level.
#include "gzip_fixture.hpp"

#include <gtest/gtest.h>

namespace gzip_test {
namespace {

constexpr uint64_t kFrame = uint64_t{4} << 20; // the host's usual frame
constexpr uint64_t kSlack = 4096;              // what malloc itself takes for a few blocks

class Memory : public testing::TestWithParam<int> {
protected:
    void SetUp() override {
        if (!bk::allocator_counts()) GTEST_SKIP() << "this allocator does not count";
    }
};

TEST_P(Memory, OfAnInstanceIsAtMostWhatWasPromisedAndNotFarBelow) {
    const Values values = {{"level", {std::to_string(GetParam())}}};
    const Bytes plain = sample(kFrame);
    Bytes packed(plain.size() + (1 << 20));
    const uint64_t before = bk::allocated();
    Codec forward(BK_FORWARD, values);
    bk_in whole{plain.data(), plain.size(), 0};
    bk_out out{packed.data(), packed.size(), 0};
    ASSERT_EQ(forward.process(whole, out, BK_FINISH), BK_END);
    packed.resize(out.pos);
    bk_in piece{plain.data(), plain.size(), 0};
    Bytes little(1000);
    bk_out room{little.data(), little.size(), 0};
    ASSERT_EQ(forward.process(piece, room, BK_RUN), BK_NEED_OUTPUT) << "both libraries now";
    const uint64_t cost = bk::allocated() - before;
    const uint64_t promised = bk::promised_memory(driver(), BK_FORWARD, values, kFrame);
    EXPECT_LE(cost, promised + kSlack);
    EXPECT_GE(2 * cost, promised);

    const uint64_t between = bk::allocated();
    Codec reverse(BK_REVERSE);
    bk_in stored{packed.data(), packed.size(), 0};
    room.pos = 0;
    ASSERT_EQ(reverse.process(stored, room, BK_RUN), BK_NEED_OUTPUT);
    EXPECT_LE(bk::allocated() - between,
              bk::promised_memory(driver(), BK_REVERSE, {}, kFrame) + kSlack);
}

INSTANTIATE_TEST_SUITE_P(Levels, Memory, testing::Range(1, 13));

} // namespace
} // namespace gzip_test
