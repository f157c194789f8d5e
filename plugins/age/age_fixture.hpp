// What the tests of this folder share: the driver under test, two key pairs, and the words of the
// testing kit.
#pragma once

#include <bkhost/testing/test_codec.hpp>

#include <string_view>

namespace age_test {

using bk::Bytes;
using bk::Pieces;
using bk::sample;
using bk::TestDir;
using Values = bk::FakeConfig::Values;

[[nodiscard]] inline const bk_component& driver() { return bk::linked_driver("age"); }

class Codec : public bk::TestCodec {
public:
    explicit Codec(int32_t direction, const Values& values = {})
        : TestCodec(driver(), direction, values) {}
};

/// "00ff" as bytes.
[[nodiscard]] inline Bytes from_hex(std::string_view hex) {
    Bytes bytes;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes.push_back(
            static_cast<uint8_t>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return bytes;
}

/// Two key pairs made by age-keygen, for these tests alone.
inline constexpr const char* kRecipient1 =
    "age1xmr5drgn2dwswtummgkn0z8gg3klruv9d9qvk3ch2gaut8uulpes8j84ej";
inline constexpr const char* kIdentity1 =
    "AGE-SECRET-KEY-1CRMYM0MHDXUD428LKFV98X5XT0VLDWEJWT7SR7MXUURPK2FN6JKQPYG2JZ";
inline constexpr const char* kRecipient2 =
    "age1xen0wravg5r0ufsx2r7sasmam6wval0u7h6m0psrwevlsvthve8s6uwayc";
inline constexpr const char* kIdentity2 =
    "AGE-SECRET-KEY-1QMA2Y8W9WYW574TALEDADP79988UXRMXN9JJ7MHTXDKF8EEMXKRSYN54RR";

/// A directory with the two identities in files of mode 0600, and codecs over them.
class Keys {
public:
    Keys() {
        for (const int key : {1, 2}) {
            const std::string text = std::string(key == 1 ? kIdentity1 : kIdentity2) + "\n";
            bk::write_file(file(key), Bytes(text.begin(), text.end()));
            std::filesystem::permissions(file(key), std::filesystem::perms::owner_read |
                                                        std::filesystem::perms::owner_write);
        }
    }
    [[nodiscard]] Values reader(int key = 1) const { return {{"identity-files", {file(key)}}}; }
    [[nodiscard]] std::string file(int key) const { return dir_ / (key == 1 ? "k1" : "k2"); }
    [[nodiscard]] Bytes encrypt(const Bytes& plain) const {
        return Codec(BK_FORWARD, {{"recipients", {kRecipient1}}}).run(plain);
    }
    [[nodiscard]] const TestDir& dir() const { return dir_; }

private:
    TestDir dir_;
};

/// What decrypting with these values fails with; BK_OK when it does not. `output` gets what came
/// out before.
[[nodiscard]] inline bk::Error failure_of(const Bytes& stored, const Values& reader, Bytes& output,
                                          const Pieces& pieces = {}) {
    return bk::failure_of(Codec(BK_REVERSE, reader), stored, output, pieces);
}
[[nodiscard]] inline bk::Error failure_of(const Bytes& stored, const Values& reader,
                                          const Pieces& pieces = {}) {
    Bytes output;
    return failure_of(stored, reader, output, pieces);
}

} // namespace age_test
