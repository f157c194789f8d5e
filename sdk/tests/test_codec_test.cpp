// The codec of the testing kit does what it says, and finds what a codec does wrong.
#include "sample.hpp"

#include <bkhost/testing/test_codec.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using bk::Bytes;
using bk::TestCodec;

TEST(TestCodec, CutsStreamsAndGivesTheContentBack) {
    const bk_component& identity = bk_test::sample("identity");
    const Bytes plain = bk::sample(3000);
    for (const bk::Pieces& cut : {bk::Pieces{}, bk::Pieces{1, 1}, bk::Pieces{100, 70, 3}}) {
        const Bytes stored = TestCodec(identity, BK_FORWARD).run(plain, cut);
        EXPECT_EQ(stored.size(), 2 * plain.size() + 1);
        EXPECT_EQ(TestCodec(identity, BK_REVERSE).run(stored, cut), plain);
    }
}

TEST(TestCodec, TellsFramesApart) {
    const bk_component& identity = bk_test::sample("identity");
    TestCodec forward(identity, BK_FORWARD);
    Bytes stored = forward.run({'a'});
    forward.run({'b', 'c'}, stored);
    const std::vector<TestCodec::Frame> expected = {{3, {'a'}}, {8, {'b', 'c'}}};
    for (const bk::Pieces& cut : {bk::Pieces{}, bk::Pieces{1, 1}, bk::Pieces{4, 2, 1}})
        EXPECT_EQ(TestCodec(identity, BK_REVERSE).frames(stored, cut), expected);
    stored.pop_back();
    EXPECT_THROW((void)TestCodec(identity, BK_REVERSE).frames(stored), bk::Error);
}

TEST(TestCodec, KeepsWhatCameOutBeforeAFailure) {
    Bytes stored = {0, 'a', 0, 'b', 9}, output;
    const bk::Error error =
        bk::failure_of(TestCodec(bk_test::sample("identity"), BK_REVERSE), stored, output);
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
    EXPECT_EQ(output, (Bytes{'a', 'b'}));
    stored.back() = 0xFF;
    EXPECT_EQ(
        bk::failure_of(TestCodec(bk_test::sample("identity"), BK_REVERSE), stored, output).status(),
        BK_OK);
}

/// Says that it took all, and took nothing.
class Lazy final : public bk::Transform {
public:
    Lazy(bk::Host, bk::Config, bk::Direction) {}
    static uint64_t memory(bk::Config, bk::Direction, uint64_t frame_size) noexcept {
        return frame_size + 1;
    }
    bk_status process(bk_in&, bk_out&, bk::Op op) override {
        return op == bk::Op::finish ? BK_END : BK_OK;
    }
};
constexpr bk_component kLazy = bk::transform_component<Lazy>(
    BK_COMPRESSOR_ID, {.name = "lazy", .summary = "nothing"}, nullptr);

TEST(TestCodec, FindsInputThatIsLeftBehind) {
    Bytes output;
    for (const size_t piece : {size_t{1}, SIZE_MAX}) {
        const bk::Error error =
            bk::failure_of(TestCodec(kLazy, BK_FORWARD), {1, 2}, output, {piece});
        EXPECT_EQ(error.status(), BK_E_INTERNAL);
        EXPECT_THAT(error.message(), testing::HasSubstr("left input behind"));
    }
    EXPECT_THROW((void)TestCodec(kLazy, BK_REVERSE).frames({1}), bk::Error);
}

TEST(TestCodec, AsksForMemoryByTable) {
    EXPECT_EQ(bk::promised_memory(kLazy, BK_FORWARD, {}, 41), 42U);
}

TEST(TestFiles, AreThereUntilTheDirectoryGoes) {
    std::filesystem::path path;
    {
        const bk::TestDir dir;
        path = dir / "x";
        bk::write_file(path, {1, 0, 255});
        EXPECT_EQ(bk::read_file(path), (Bytes{1, 0, 255}));
        EXPECT_THROW(bk::write_file(dir / "no" / "x", {1}), bk::Error);
    }
    EXPECT_FALSE(std::filesystem::exists(path.parent_path()));
    EXPECT_THROW((void)bk::read_file(path), bk::Error);
}

TEST(TestFiles, ToolsGiveTheirStatus) {
    EXPECT_EQ(bk::run_tool({"true"}), 0);
    EXPECT_EQ(bk::run_tool({"false"}), 1);
    EXPECT_EQ(bk::run_tool({"bkhost-no-such-tool"}), -1);
}

} // namespace
