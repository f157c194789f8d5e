// The cipher of the chunks by itself: known bytes, and where its numbers end.
#include "chunks.hpp"

#include "aes256gcm_fixture.hpp"

#include <gtest/gtest.h>

namespace aes256gcm_test {
namespace {

using namespace aes256gcm;

TEST(Chunks, AreThoseOfAnotherImplementation) {
    // Python's cryptography: AESGCM(bytes(32)).encrypt(nonce, b"hello", None)
    Chunks chunks{DataKey{}};
    const Bytes plain = {'h', 'e', 'l', 'l', 'o'};
    Bytes sealed(plain.size() + 16);
    chunks.seal(0x01020304, true, plain, sealed.data());
    EXPECT_EQ(hex(sealed), "0b6218511b477569ed33663556917ea963fa8b5971");
    Bytes back(plain.size());
    EXPECT_TRUE(chunks.open(0x01020304, true, sealed, back.data()));
    EXPECT_EQ(back, plain);
    EXPECT_FALSE(chunks.open(0x01020304, false, sealed, back.data())) << "the mark of the last";
    EXPECT_FALSE(chunks.open(0x01020305, true, sealed, back.data())) << "the number";
    EXPECT_EQ(back, Bytes(5, 0));
    EXPECT_FALSE(chunks.open(0, true, bk::head(sealed, 15), back.data())) << "no tag";
}

TEST(Chunks, NumbersAreNeverUsedTwice) {
    Chunks chunks{DataKey{}};
    Bytes out(16);
    chunks.seal(Chunks::kMostChunks - 1, true, {}, out.data());
    try {
        chunks.seal(Chunks::kMostChunks, true, {}, out.data());
        FAIL() << "sealed";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_UNSUPPORTED);
    }
    chunks.seal(0, true, {}, out.data());
    EXPECT_FALSE(chunks.open(Chunks::kMostChunks, true, out, out.data()))
        << "the number 2^32 has the nonce of 0";
}

} // namespace
} // namespace aes256gcm_test
