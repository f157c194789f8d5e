// The wrappers of compressors, encryptors and sanitizers, through the C tables of loaded plugins.
#include "abi_layout.h"
#include "sample.hpp"

#include <bkhost/transform.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using testing::ElementsAre;

class Codec {
public:
    Codec(const std::string& file, bk::Direction direction,
          const bk::FakeConfig::Values& values = {})
        : driver(bk_test::sample(file)), config(values, driver),
          table(static_cast<const bk_transform*>(driver.vtable)) {
        EXPECT_EQ(
            table->create(host.get(), config.get(), static_cast<int32_t>(direction), &self, &error),
            BK_OK);
    }
    ~Codec() { table->destroy(self); }
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;

    /// Runs all of `input` through with an output buffer of `cap` bytes; the last status is kept.
    std::string run(std::string_view input, size_t cap) {
        bk_in in{reinterpret_cast<const uint8_t*>(input.data()), input.size(), 0};
        std::vector<uint8_t> buffer(cap);
        std::string all;
        do {
            bk_out out{buffer.data(), cap, 0};
            status = table->process(self, &in, &out, BK_FINISH, &error);
            all.append(reinterpret_cast<const char*>(buffer.data()), out.pos);
        } while (status == BK_NEED_OUTPUT);
        return all;
    }

    const bk_component& driver;
    bk::FakeHost host;
    bk::FakeConfig config;
    const bk_transform* table;
    bk_error error = bk::empty_error();
    void* self = nullptr;
    bk_status status = BK_OK;
};

template <class Table>
const Table& extension(const bk_component& driver, const char* id) {
    return *static_cast<const Table*>(driver.get_extension(id));
}

TEST(TransformWrapper, RoundTripsFramesLaidEndToEnd) {
    for (size_t cap : {1, 2, 3, 100}) {
        Codec forward("identity", bk::Direction::forward);
        const std::string first = forward.run("hello", cap);
        EXPECT_EQ(forward.status, BK_END);
        const std::string second = forward.run("", cap); // the instance is ready again
        Codec reverse("identity", bk::Direction::reverse);
        EXPECT_EQ(reverse.run(first + second + first, cap), "hellohello");
        EXPECT_EQ(reverse.status, BK_END);
    }
}

TEST(TransformWrapper, StopsBehindEachFrame) {
    Codec forward("identity", bk::Direction::forward);
    const std::string frames = forward.run("ab", 100) + forward.run("", 100);
    Codec reverse("identity", bk::Direction::reverse);
    std::vector<uint8_t> buffer(100);
    bk_in in{reinterpret_cast<const uint8_t*>(frames.data()), frames.size(), 0};
    for (const size_t end : {5, 6}) {
        bk_out out{buffer.data(), buffer.size(), 0};
        EXPECT_EQ(reverse.table->process(reverse.self, &in, &out, BK_FRAME, &reverse.error),
                  BK_END);
        EXPECT_EQ(in.pos, end);
        EXPECT_EQ(out.pos, end == 5 ? 2u : 0u);
    }
    EXPECT_EQ(reverse.run("", 100), "");
    EXPECT_EQ(reverse.status, BK_END);
}

TEST(TransformWrapper, ReportsDamage) {
    Codec forward("identity", bk::Direction::forward);
    std::string frame = forward.run("hello", 100);
    Codec truncated("identity", bk::Direction::reverse);
    (void)truncated.run(std::string_view(frame).substr(0, 4), 100);
    EXPECT_EQ(truncated.status, BK_E_CORRUPT);
    EXPECT_STREQ(truncated.error.message, "identity: truncated");
    frame[2] = 9;
    Codec damaged("identity", bk::Direction::reverse);
    (void)damaged.run(frame, 100);
    EXPECT_EQ(damaged.status, BK_E_CORRUPT);
}

TEST(TransformWrapper, TellsMemoryAndFile) {
    Codec codec("identity", bk::Direction::forward);
    EXPECT_GT(codec.table->memory(codec.config.get(), BK_FORWARD, 1), 0u);
    const auto& file = extension<bk_transform_file>(codec.driver, BK_TRANSFORM_FILE_ID);
    EXPECT_STREQ(file.suffix, "same");
    EXPECT_EQ(codec.driver.get_extension("other"), nullptr);
    codec.table->interrupt(codec.self);
}

TEST(EncryptorWrapper, ServesOneStream) {
    Codec forward("xor", bk::Direction::forward, {{"key", {"32"}}});
    EXPECT_EQ(forward.run("abc", 1), "ABC");
    EXPECT_EQ(forward.status, BK_END);
    (void)forward.run("abc", 1);
    EXPECT_EQ(forward.status, BK_E_INVALID);
}

TEST(EncryptorWrapper, HasKeysAndSeek) {
    Codec codec("xor", bk::Direction::reverse, {{"key", {"7"}}});
    const auto& keys = extension<bk_encryptor_keys>(codec.driver, BK_ENCRYPTOR_KEYS_ID);
    bk::Texts texts;
    EXPECT_EQ(keys.fingerprints(codec.self, bk::Texts::take, &texts, &codec.error), BK_OK);
    EXPECT_EQ(keys.generate(bk::Texts::take, &texts, &codec.error), BK_OK);
    EXPECT_EQ(keys.public_keys("12", 2, bk::Texts::take, &texts, &codec.error), BK_OK);
    EXPECT_THAT(texts.all, ElementsAre("xor-7", "7", "xor-12"));

    const auto& seek = extension<bk_encryptor_seek>(codec.driver, BK_ENCRYPTOR_SEEK_ID);
    uint64_t stored = 0, skip = 0;
    EXPECT_EQ(seek.seek(codec.self, 37, &stored, &skip, &codec.error), BK_OK);
    EXPECT_EQ(stored, 32u);
    EXPECT_EQ(skip, 5u);
    EXPECT_EQ(seek.seek(codec.self, 1001, &stored, &skip, &codec.error), BK_E_INVALID);
    EXPECT_EQ(seek.stored_end(codec.self, 50), 50u);
    EXPECT_EQ(seek.header_size(codec.self), 0u);
}

TEST(SanitizerWrapper, GivesExpressions) {
    bk_test::Instance<bk_sanitizer> upper("toy_sanitizer");
    bk::Texts texts;
    EXPECT_EQ(upper.table->expression(upper.self, "sqlite", "name", bk::Texts::take, &texts,
                                      &upper.error),
              BK_OK);
    EXPECT_EQ(texts.joined(), "upper(name)");
    EXPECT_EQ(
        upper.table->expression(upper.self, "mysql", "name", bk::Texts::take, &texts, &upper.error),
        BK_E_UNSUPPORTED);
    EXPECT_STREQ(upper.error.message, "upper: dialect 'mysql'");
    int32_t score = -1;
    EXPECT_EQ(upper.table->suggest(upper.self, "last_name", &score, &upper.error), BK_OK);
    EXPECT_EQ(score, 80);
}

TEST(CPlugin, WorksLikeAnyOther) {
    bk_test::Instance<bk_sanitizer> mask("null_mask");
    bk::Texts texts;
    EXPECT_EQ(mask.table->expression(mask.self, "sqlite", R"({"name":"a"})", bk::Texts::take,
                                     &texts, &mask.error),
              BK_OK);
    EXPECT_EQ(texts.joined(), "NULL");
}

} // namespace
