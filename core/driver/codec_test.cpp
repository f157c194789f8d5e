// Codecs through the core's handle: whole frames, and frames that are found one by one.
#include "core/driver/codec.hpp"
#include "core/testing/fake_drivers.hpp"

#include <bkhost/error.hpp>

#include <gtest/gtest.h>

namespace bkhost {
namespace {

using Bytes = std::vector<uint8_t>;

class CodecFrames : public testing::Test {
protected:
    CodecFrames() {
        Codec forward(setup_, services_, BK_FORWARD);
        for (const std::string text : {"one", "", "three"}) {
            Bytes room;
            room.resize(forward.frame(as_bytes(text), room));
            stored_.insert(stored_.end(), room.begin(), room.end());
            ends_.push_back(stored_.size());
        }
    }

    test::FakeRegistry registry_;
    test::TestLog log_;
    std::stop_source stop_;
    Services services_{log_, stop_.get_token()};
    DriverPtr setup_ = set_up(registry_, kCompressor, {"swell", {}}, "compress");
    Bytes stored_;
    std::vector<size_t> ends_;
};

TEST_F(CodecFrames, AreFoundInPiecesOfAnySize) {
    for (const size_t piece : {1, 2, 25, 1000})
        for (const size_t room : {1, 100}) {
            Codec reverse(setup_, services_, BK_REVERSE);
            Bytes buffer(room);
            std::string plain;
            std::vector<size_t> ends;
            const Codec::Output keep = [&](std::span<const uint8_t> bytes) {
                plain.append(bytes.begin(), bytes.end());
            };
            for (size_t at = 0; at < stored_.size();) {
                const size_t size = std::min(piece, stored_.size() - at);
                const auto [taken, ended] =
                    reverse.frame_part(std::span(stored_).subspan(at, size), buffer, keep);
                ASSERT_TRUE(ended || taken == size);
                at += taken;
                if (ended) ends.push_back(at);
                if (ended) plain += '/';
            }
            reverse.run({}, BK_FINISH, buffer, keep);
            EXPECT_EQ(plain, "one//three/");
            EXPECT_EQ(ends, ends_);
        }
}

TEST_F(CodecFrames, ACutOneIsToldAtTheEnd) {
    Codec reverse(setup_, services_, BK_REVERSE);
    Bytes buffer(100);
    const Codec::Output ignore = [](std::span<const uint8_t>) {};
    const auto [taken, ended] =
        reverse.frame_part(std::span(stored_).first(ends_[0] - 1), buffer, ignore);
    EXPECT_EQ(taken, ends_[0] - 1);
    EXPECT_FALSE(ended);
    EXPECT_THROW(reverse.run({}, BK_FINISH, buffer, ignore), bk::Error);
}

} // namespace
} // namespace bkhost
