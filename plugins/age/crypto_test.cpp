// The primitives against the published vectors.
#include "crypto.hpp"

#include "age_fixture.hpp"

#include <bkhost/error.hpp>

#include <gtest/gtest.h>

namespace age_plugin {
namespace {

using age_test::Bytes;
using age_test::from_hex;

template <class Array>
Array filled(std::string_view hex) {
    Array array;
    const Bytes bytes = from_hex(hex);
    EXPECT_EQ(bytes.size(), array.size());
    std::copy(bytes.begin(), bytes.end(), array.begin());
    return array;
}

template <class Array>
Bytes bytes_of(const Array& array) {
    return Bytes(array.begin(), array.end());
}

TEST(Crypto, X25519OfRfc7748) {
    const auto shared =
        x25519(filled<Key>("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
               filled<Point>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"));
    ASSERT_TRUE(shared);
    EXPECT_EQ(bytes_of(*shared),
              from_hex("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"));
}

TEST(Crypto, KeyAgreementOfRfc7748) {
    const auto alice =
        filled<Key>("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    EXPECT_EQ(bytes_of(x25519_public(alice)),
              from_hex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
    const auto shared = x25519(
        alice, filled<Point>("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
    ASSERT_TRUE(shared);
    EXPECT_EQ(bytes_of(*shared),
              from_hex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

TEST(Crypto, APointOfLowOrderGivesNoSecret) {
    Key secret;
    random_bytes(secret);
    EXPECT_FALSE(x25519(secret, Point{}));
}

TEST(Crypto, HkdfOfRfc5869) {
    const std::string info = "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9";
    EXPECT_EQ(bytes_of(hkdf_sha256(Bytes(22, 0x0b), from_hex("000102030405060708090a0b0c"), info)),
              from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
    EXPECT_EQ(bytes_of(hkdf_sha256(Bytes(22, 0x0b), {}, "")),
              from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"));
}

TEST(Crypto, HmacOfRfc4231) {
    EXPECT_EQ(bytes_of(hmac_sha256(view("Jefe"), view("what do ya want for nothing?"))),
              from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
}

TEST(Crypto, ScryptOfRfc7914) {
    EXPECT_EQ(bytes_of(scrypt("pleaseletmein", view("SodiumChloride"), 14)),
              from_hex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"));
}

TEST(Crypto, AFailedOpenLeavesZeros) {
    Key key;
    random_bytes(key);
    Aead aead(key);
    const Bytes plain(1000, 'x');
    Bytes sealed(plain.size() + kTagSize);
    aead.seal(Nonce{}, plain, sealed.data());
    Bytes out(plain.size(), 'o');
    EXPECT_TRUE(aead.open(Nonce{}, sealed, out.data()));
    EXPECT_EQ(out, plain);
    sealed[500] ^= 1;
    EXPECT_FALSE(aead.open(Nonce{}, sealed, out.data()));
    EXPECT_EQ(out, Bytes(plain.size(), 0));
    EXPECT_FALSE(aead.open(Nonce{}, View(sealed).first(kTagSize - 1), out.data()));
}

TEST(Crypto, SecretsAreWiped) {
    alignas(Key) std::array<uint8_t, sizeof(Key)> place{};
    Key* key = new (place.data()) Key;
    random_bytes(*key);
    EXPECT_NE(bytes_of(place), Bytes(sizeof(Key), 0));
    key->~Key();
    EXPECT_EQ(bytes_of(place), Bytes(sizeof(Key), 0));

    std::string source = "correct horse battery staple";
    const char* memory = source.data();
    const SecretText text(std::move(source));
    EXPECT_EQ(text.reveal().data(), memory) << "taken over, not copied";
    std::string small = "short";
    const SecretText other(std::move(small));
    EXPECT_EQ(small.find("short"), std::string::npos) << "the source is wiped";
}

} // namespace
} // namespace age_plugin
