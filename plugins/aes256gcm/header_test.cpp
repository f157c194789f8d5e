// The header and the keys that come of it. Expected values: core/FORMAT.md, 9, computed with
// Python's hmac and hashlib.
#include "header.hpp"

#include "aes256gcm_fixture.hpp"

#include <openssl/evp.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace aes256gcm_test {
namespace {

using namespace aes256gcm;

const MasterKey kMaster = parse_key(kKey1, "a test");

// As a forger would: without the key, and with a checksum that fits.
void fix_checksum(Header& header) {
    std::array<uint8_t, 32> digest{};
    ASSERT_EQ(EVP_Digest(header.data(), 80, digest.data(), nullptr, EVP_sha256(), nullptr), 1);
    std::copy_n(digest.begin(), 16, header.begin() + 80);
}

bk_status status_of(const Header& header) {
    Bytes stored = encrypt({}), output;
    std::copy(header.begin(), header.end(), stored.begin());
    return failure_of(stored, output).status();
}

TEST(Header, IsThatOfTheFormat) {
    Header header{};
    std::copy(kMagic.begin(), kMagic.end(), header.begin());
    header[16] = 1;
    header[17] = 16;
    const KeyId id = key_id(kMaster);
    EXPECT_EQ(hex(id), "68895d3769fa1e7c");
    std::copy(id.begin(), id.end(), header.begin() + 24);
    for (size_t i = 0; i < 32; ++i)
        header[32 + i] = static_cast<uint8_t>(200 + i);
    constexpr std::array<uint8_t, 16> kCheck = {0xd8, 0x1d, 0x6f, 0x41, 0x0d, 0x52, 0xe8, 0x88,
                                                0xa9, 0x5e, 0x8e, 0x99, 0x82, 0x18, 0x15, 0xb5};
    std::copy(kCheck.begin(), kCheck.end(), header.begin() + 64);
    fix_checksum(header);
    check_header(header);
    EXPECT_EQ(key_id_of(header), id);
    EXPECT_EQ(hex(data_key(header, kMaster)),
              "1c47393283733a0362e18c58ef4a41e38d673e1cb09e070bcd5edcd0d830816d");
}

TEST(Header, HasARandomSaltAndChecksOut) {
    const Header one = new_header(kMaster), other = new_header(kMaster);
    check_header(one);
    EXPECT_NE(one, other);
    EXPECT_NE(data_key(one, kMaster), data_key(other, kMaster));
}

TEST(Header, OfAnotherVersionIsUnsupported) {
    for (const size_t at : {16, 17, 18, 23}) {
        Header header = new_header(kMaster);
        ++header[at];
        fix_checksum(header);
        EXPECT_EQ(status_of(header), BK_E_UNSUPPORTED) << at;
    }
}

TEST(Header, ThatWasForgedIsCorruptAndNotAWrongKey) {
    for (size_t at = 32; at < 80; ++at) { // the salt, the key check
        Header header = new_header(kMaster);
        header[at] ^= 1;
        fix_checksum(header);
        EXPECT_EQ(status_of(header), BK_E_CORRUPT) << at;
    }
}

TEST(Header, OfAnotherKeyIsAWrongKey) {
    EXPECT_EQ(status_of(new_header(parse_key(kKey2, "a test"))), BK_E_DENIED);
}

} // namespace
} // namespace aes256gcm_test
