// Against Debian's age 1.1.1: files that it wrote, and, where it is installed, both ways.
#include "age_fixture.hpp"

#include <gtest/gtest.h>

namespace age_test {
namespace {

constexpr size_t kChunk = 65536;
constexpr std::string_view kText = "bkhost age fixture\n";

// age -r kRecipient1 -r kRecipient2
constexpr std::string_view kToTwo =
    "6167652d656e6372797074696f6e2e6f72672f76310a2d3e20583235353139203777586a6a4930757850"
    "76533635796b4e7a4a6434444f3574704f2b65477a58426c44547271466d79794d0a5a44676e6d393961"
    "554564386c785578666538544c585866374b514d4477794e5273556270596166496b510a2d3e20583235"
    "353139204333536a32456431684b456732504b414f794c613465666e2b6f5a546c4248434870724f7152"
    "41557932730a4d7739717978715149635453524d706878702b565667654c57426659587a4f4763343853"
    "343445753577380a2d2d2d206e4164326f304e5254556a6455497236344a7a6e7438562b3367486c6a35"
    "484b464a315278594d2b7772510a21be11fd14aabab690bb8047315c10a6f73e86d7c7c0055fd6fd1ceb"
    "e5829dc5857ceaf7da5276581364353d0738b020d7168c";

// age -p, with the passphrase "correct horse"; work factor 18
constexpr std::string_view kWithPassphrase =
    "6167652d656e6372797074696f6e2e6f72672f76310a2d3e207363727970742071666e63336f2b4d7668"
    "416c5a31394c317932547a412031380a6f443658544c7a59466849433844377452357632435a67416e66"
    "4f44776e414f52582b2b5177596c312b510a2d2d2d2062696b722f6e6837323436323549387139484261"
    "6262364e584a445433414c5239456778744b62435943630ade3c72b9c234ef3acc67217c67dcdc8e1889"
    "a0257c14df78521feea94cdd930ba103788457a17ff77bade75617cb835b799627";

std::string text_of(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

TEST(AgeTool, AFileOfTheToolIsReadByEachIdentity) {
    const Keys keys;
    for (const int key : {1, 2})
        EXPECT_EQ(text_of(Codec(BK_REVERSE, keys.reader(key)).run(from_hex(kToTwo))), kText);
}

TEST(AgeTool, APassphraseFileOfTheToolIsRead) {
    Codec reverse(BK_REVERSE, {{"passphrase", {"correct horse"}}});
    EXPECT_EQ(text_of(reverse.run(from_hex(kWithPassphrase))), kText);
    EXPECT_EQ(failure_of(from_hex(kWithPassphrase), {{"passphrase", {"correct pony"}}}).status(),
              BK_E_DENIED);
}

class Interop : public testing::TestWithParam<size_t> {
protected:
    void SetUp() override {
        if (bk::run_tool({"age", "--version"}) == -1)
            GTEST_SKIP() << "the age tool is not installed";
    }
    Keys keys_;
};

TEST_P(Interop, TheToolReadsWhatWeWrite) {
    const Bytes plain = sample(GetParam());
    const std::string stored = keys_.dir() / "x.age", back = keys_.dir() / "x";
    Codec forward(BK_FORWARD, {{"recipients", {kRecipient2, kRecipient1}}});
    bk::write_file(stored, forward.run(plain, {100000, 70000, 5}));
    for (const int key : {1, 2}) {
        bk::write_file(back, {}); // the tool makes no file when there is no content
        ASSERT_EQ(bk::run_tool({"age", "-d", "-i", keys_.file(key), "-o", back, stored}), 0);
        EXPECT_TRUE(bk::read_file(back) == plain);
    }
}

TEST_P(Interop, WeReadWhatTheToolWrites) {
    const Bytes plain = sample(GetParam());
    const std::string stored = keys_.dir() / "x.age", file = keys_.dir() / "x";
    bk::write_file(file, plain);
    ASSERT_EQ(bk::run_tool({"age", "-r", kRecipient2, "-r", kRecipient1, "-o", stored, file}), 0);
    for (const int key : {1, 2}) {
        Codec reverse(BK_REVERSE, keys_.reader(key));
        EXPECT_TRUE(reverse.run(bk::read_file(stored), {100000, 70000, 6}) == plain);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Interop,
                         testing::Values(0, 1, kChunk - 1, kChunk, kChunk + 1, (1 << 20) + 1));

TEST(AgeTool, KeygenAndGenerateAgree) {
    const TestDir dir;
    const std::string ours = dir / "ours", theirs = dir / "theirs", shown = dir / "shown";
    if (bk::run_tool({"age-keygen", "-o", theirs}) == -1)
        GTEST_SKIP() << "the age-keygen tool is not installed";
    const auto& keys =
        *static_cast<const bk_encryptor_keys*>(driver().get_extension(BK_ENCRYPTOR_KEYS_ID));
    const auto public_keys = [&](const std::string& path) {
        const std::string text = text_of(bk::read_file(path));
        bk::Texts texts;
        bk_error error = bk::empty_error();
        EXPECT_EQ(keys.public_keys(text.data(), text.size(), bk::Texts::take, &texts, &error),
                  BK_OK);
        return texts.joined() + "\n";
    };
    bk::Texts texts;
    bk_error error = bk::empty_error();
    ASSERT_EQ(keys.generate(bk::Texts::take, &texts, &error), BK_OK);
    const std::string generated = texts.joined();
    bk::write_file(ours, Bytes(generated.begin(), generated.end()));
    for (const std::string& path : {ours, theirs}) {
        std::filesystem::remove(shown);
        ASSERT_EQ(bk::run_tool({"age-keygen", "-y", "-o", shown, path}), 0);
        EXPECT_EQ(text_of(bk::read_file(shown)), public_keys(path));
    }
}

} // namespace
} // namespace age_test
