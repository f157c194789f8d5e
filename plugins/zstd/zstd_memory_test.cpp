// What memory() says is enough for what the contexts take, at every strategy of libzstd.
#include "zstd_fixture.hpp"

#include <gtest/gtest.h>

namespace zstd_test {
namespace {

constexpr uint64_t kFrame = uint64_t{4} << 20; // the host's usual frame
constexpr uint64_t kSlack = 4096;              // what malloc itself takes for a few blocks

uint64_t promised(int32_t direction, const Values& values, uint64_t frame_size) {
    return bk::promised_memory(driver(), direction, values, frame_size);
}

// What the compressor holds in the middle of a frame given whole; `packed` gets the frame. Too
// little room at first forces the streaming path, which has buffers besides.
uint64_t compressor_cost(const Values& values, const Bytes& plain, size_t room, Bytes& packed) {
    packed.assign(plain.size() + 4096, 0);
    const uint64_t before = bk::allocated();
    Codec forward(BK_FORWARD, values);
    bk_in in{plain.data(), plain.size(), 0};
    bk_out out{packed.data(), room, 0};
    const bk_status status = forward.process(in, out, BK_FINISH);
    const uint64_t cost = bk::allocated() - before;
    out.cap = packed.size();
    EXPECT_EQ(status == BK_END ? status : forward.process(in, out, BK_FINISH), BK_END);
    packed.resize(out.pos);
    return cost;
}

uint64_t decompressor_cost(const Bytes& packed) {
    Bytes room(1000);
    const uint64_t before = bk::allocated();
    Codec reverse(BK_REVERSE);
    bk_in in{packed.data(), packed.size(), 0};
    bk_out out{room.data(), room.size(), 0};
    EXPECT_EQ(reverse.process(in, out, BK_RUN), BK_NEED_OUTPUT);
    return bk::allocated() - before;
}

class Memory : public testing::TestWithParam<int> {
protected:
    void SetUp() override {
        if (!bk::allocator_counts()) GTEST_SKIP() << "this allocator does not count";
    }
};

TEST_P(Memory, OfAContextIsAtMostWhatWasPromised) {
    for (const uint64_t frame : {uint64_t{20000}, uint64_t{200000}, kFrame}) {
        const Bytes plain(frame); // the content makes no difference, and this is quick
        for (const char* wide : {"false", "true"}) {
            const Values values = {{"level", {std::to_string(GetParam())}}, {"long", {wide}}};
            for (const size_t room : {size_t{1000}, plain.size() + 4096}) {
                Bytes packed;
                EXPECT_LE(compressor_cost(values, plain, room, packed),
                          promised(BK_FORWARD, values, frame) + kSlack)
                    << "frame " << frame << " long " << wide << " room " << room;
                EXPECT_LE(decompressor_cost(packed), promised(BK_REVERSE, {}, frame) + kSlack);
            }
        }
    }
}

TEST_P(Memory, GrowsWithTheFrame) {
    const Values values = {{"level", {std::to_string(GetParam())}}};
    const uint64_t most = promised(BK_FORWARD, values, kFrame);
    for (const uint64_t frame : {16000, 100000, 200000, 300000, 1000000})
        EXPECT_LE(promised(BK_FORWARD, values, frame), most) << frame;
    EXPECT_LE(most, promised(BK_FORWARD, values, 0));
    EXPECT_LE(promised(BK_REVERSE, {}, kFrame), promised(BK_REVERSE, {}, 0));
}

INSTANTIATE_TEST_SUITE_P(Levels, Memory, testing::Values(1, 3, 5, 7, 9, 12, 13, 16, 19, 22));

} // namespace
} // namespace zstd_test
