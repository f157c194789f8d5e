// Faults of codecs, around the samples of the SDK: a compressor that copies and a toy cipher.
#include "faults_fixture.hpp"

#include <bkhost/transform.hpp>

#include <cstdlib>

namespace faults {
namespace {

using testing::ElementsAre;

/// What the sample makes of "1234": a zero before each byte, 0xFF at the end.
const std::string kOneToFour("\0"
                             "1\0"
                             "2\0"
                             "3\0"
                             "4\xFF",
                             9);

class Codec : public Wrapping<bk_transform> {
public:
    explicit Codec(const std::vector<std::string>& faults, int32_t direction = BK_FORWARD)
        : Wrapping(BK_COMPRESSOR_ID, SAMPLE_IDENTITY, "identity", faults) {
        const Answer answer = create(direction);
        if (answer.status != BK_OK) throw std::runtime_error(answer.message());
    }
    Answer process(const std::string& text, std::string& out) {
        Answer answer;
        bk_in in{reinterpret_cast<const uint8_t*>(text.data()), text.size(), 0};
        uint8_t buffer[100];
        bk_out room{buffer, sizeof buffer, 0};
        answer.status = table().process(self(), &in, &room, BK_FINISH, &answer.error);
        out.assign(buffer, buffer + room.pos);
        return answer;
    }
};

TEST(FaultyCompressor, DamagesLosesAndRefuses) {
    Codec codec({"process:2:flip", "process:3:short", "process:4:error=no_memory"});
    std::string out, flipped = kOneToFour;
    flipped[4] = 0x10;
    EXPECT_EQ(codec.process("1234", out).status, BK_END);
    EXPECT_EQ(out, kOneToFour);
    EXPECT_EQ(codec.process("1234", out).status, BK_END);
    EXPECT_EQ(out, flipped);
    EXPECT_EQ(codec.process("1234", out).status, BK_END);
    EXPECT_EQ(out, kOneToFour.substr(0, 4));
    EXPECT_EQ(codec.process("1234", out).status, BK_E_NO_MEMORY);
    EXPECT_EQ(codec.log()[1], "process forward 0 4 -");
}

TEST(FaultyCompressor, ADirectionChoosesTheCalls) {
    Codec codec({"process@reverse:1:throw"}, BK_FORWARD);
    std::string out;
    EXPECT_EQ(codec.process("1", out).status, BK_END);
    Codec back({"process@reverse:1:throw"}, BK_REVERSE);
    EXPECT_EQ(back.process("1", out).status, BK_E_INTERNAL);
}

TEST(FaultyCompressor, TellsTheMemoryOfTheCodecInside) {
    Codec codec({});
    Wrapping<bk_transform> none(BK_COMPRESSOR_ID, "/nonexistent.so", "identity", {});
    EXPECT_EQ(none.table().memory(none.config(), BK_FORWARD, 4096), 0u);
    EXPECT_NE(codec.table().memory(codec.config(), BK_FORWARD, 4096), 0u);
}

TEST(FaultyCompressor, AVariableNamesTheCodecWhereNoOptionDoes) {
    const bk_component& driver = faulty(BK_COMPRESSOR_ID);
    const auto& table = *static_cast<const bk_transform*>(driver.vtable);
    bk::FakeHost host;
    const bk::FakeConfig config(bk::FakeConfig::Values{}, driver);
    bk_error error = bk::empty_error();
    void* self = nullptr;
    EXPECT_EQ(table.create(host.get(), config.get(), BK_REVERSE, &self, &error), BK_E_CONFIG);
    EXPECT_EQ(driver.get_extension(BK_TRANSFORM_FILE_ID), nullptr);
    ASSERT_EQ(::setenv("BKHOST_FAULTY_COMPRESSOR", SAMPLE_IDENTITY ":identity", 1), 0);
    ASSERT_EQ(table.create(host.get(), config.get(), BK_REVERSE, &self, &error), BK_OK);
    table.destroy(self);
    const auto* file =
        static_cast<const bk_transform_file*>(driver.get_extension(BK_TRANSFORM_FILE_ID));
    ASSERT_NE(file, nullptr);
    EXPECT_STRNE(file->suffix, "");
    ::unsetenv("BKHOST_FAULTY_COMPRESSOR");
}

TEST(FaultyEncryptor, PassesKeysAndOffsetsOn) {
    Wrapping<bk_transform> cipher(BK_ENCRYPTOR_ID, SAMPLE_XOR, "xor", {}, R"({"key":7})");
    ASSERT_EQ(cipher.create(BK_FORWARD).status, BK_OK);
    const auto* keys = static_cast<const bk_encryptor_keys*>(
        cipher.component().get_extension(BK_ENCRYPTOR_KEYS_ID));
    const auto* seek = static_cast<const bk_encryptor_seek*>(
        cipher.component().get_extension(BK_ENCRYPTOR_SEEK_ID));
    ASSERT_TRUE(keys != nullptr && seek != nullptr);
    bk::Texts texts;
    bk_error error = bk::empty_error();
    EXPECT_EQ(keys->fingerprints(cipher.self(), bk::Texts::take, &texts, &error), BK_OK);
    EXPECT_EQ(texts.all.size(), 1u);
    EXPECT_EQ(keys->generate(bk::Texts::take, &texts, &error), BK_E_UNSUPPORTED);
    EXPECT_EQ(keys->public_keys("x", 1, bk::Texts::take, &texts, &error), BK_E_UNSUPPORTED);
    uint64_t stored = 0, skip = 0;
    EXPECT_EQ(seek->seek(cipher.self(), 5, &stored, &skip, &error), BK_OK);
    EXPECT_GE(seek->stored_end(cipher.self(), 10), 10u);
}

} // namespace
} // namespace faults
