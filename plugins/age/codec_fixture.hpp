// What the tests of this folder share: the driver through its C tables, as a host calls it, cut
// into pieces of chosen sizes; random content by a seed; and a tool run without a shell.
#pragma once

#include <bkhost/testing/fake_host.hpp>
#include <bkhost/transform.hpp>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace age_test {

using Values = bk::FakeConfig::Values;
using Bytes = std::vector<uint8_t>;

[[nodiscard]] const bk_component& driver();
[[nodiscard]] const bk_transform& table();

/// How a stream is cut for process(): each piece of input and output has 1..max bytes, drawn by the
/// seed, or exactly max when the seed is 0.
struct Pieces {
    size_t max_in = SIZE_MAX;
    size_t max_out = size_t{1} << 16;
    uint64_t seed = 0;
};

/// One instance of the driver; throws what it answers.
class Codec {
public:
    Codec(int32_t direction, const Values& values = {});
    ~Codec();
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;

    bk_status process(bk_in& in, bk_out& out, int32_t op);
    /// Feeds all of `input`, the last piece with FINISH, up to END; appends to `output`, before a
    /// failure too.
    void run(const Bytes& input, Bytes& output, const Pieces& pieces = {});
    [[nodiscard]] Bytes run(const Bytes& input, const Pieces& pieces = {});
    [[nodiscard]] void* self() { return self_; }

private:
    bk::FakeHost host_;
    bk::FakeConfig config_;
    void* self_ = nullptr;
};

/// Content that is the same for the same size and seed.
[[nodiscard]] Bytes sample(size_t size, uint64_t seed = 1);

/// A new directory, removed with all that is in it at the end.
class TestDir {
public:
    TestDir();
    ~TestDir();
    TestDir(const TestDir&) = delete;
    TestDir& operator=(const TestDir&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const {
        return path_ / name;
    }

private:
    std::filesystem::path path_;
};

void write_file(const std::filesystem::path& path, const Bytes& content);
[[nodiscard]] Bytes read_file(const std::filesystem::path& path);

/// Runs a tool found on PATH and waits; its exit status, or -1 when it is not installed.
int run_tool(std::vector<std::string> arguments);

/// "00ff" as bytes.
[[nodiscard]] Bytes from_hex(std::string_view hex);

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
    Keys();
    [[nodiscard]] Values reader(int key = 1) const;
    [[nodiscard]] std::string file(int key) const { return dir_ / (key == 1 ? "k1" : "k2"); }
    [[nodiscard]] Bytes encrypt(const Bytes& plain) const;
    [[nodiscard]] const TestDir& dir() const { return dir_; }

private:
    TestDir dir_;
};

/// What decrypting with these values fails with; BK_OK when it does not.
[[nodiscard]] bk::Error failure_of(const Bytes& stored, const Values& reader,
                                   const Pieces& pieces = {});

} // namespace age_test
