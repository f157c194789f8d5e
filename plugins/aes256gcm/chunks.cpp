#include "chunks.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>

namespace aes256gcm {
namespace {

using Nonce = std::array<uint8_t, 12>;

void check(int result, const char* what) {
    if (result > 0) return;
    ERR_clear_error();
    throw bk::Error(BK_E_INTERNAL, std::string("libcrypto failed: ") + what);
}

Nonce nonce_of(uint64_t chunk, bool last) {
    Nonce nonce{};
    for (size_t i = 0; i < 4; ++i)
        nonce[10 - i] = static_cast<uint8_t>(chunk >> (8 * i));
    nonce[11] = last ? 1 : 0;
    return nonce;
}

} // namespace

void Chunks::Free::operator()(EVP_CIPHER_CTX* context) const noexcept {
    EVP_CIPHER_CTX_free(context); // wipes the key
}

Chunks::Chunks(const DataKey& key) : seal_(EVP_CIPHER_CTX_new()), open_(EVP_CIPHER_CTX_new()) {
    check(seal_ != nullptr && open_ != nullptr, "cipher context");
    const EVP_CIPHER* cipher = EVP_aes_256_gcm();
    check(EVP_EncryptInit_ex(seal_.get(), cipher, nullptr, key.data(), nullptr), "cipher key");
    check(EVP_DecryptInit_ex(open_.get(), cipher, nullptr, key.data(), nullptr), "cipher key");
}

void Chunks::seal(uint64_t chunk, bool last, std::span<const uint8_t> plain, uint8_t* out) {
    if (chunk >= kMostChunks)
        throw bk::Error(BK_E_UNSUPPORTED, "an aes256gcm file cannot be longer than 256 TiB",
                        "set a smaller 'volume-size'");
    const Nonce nonce = nonce_of(chunk, last);
    int done = 0, none = 0;
    check(EVP_EncryptInit_ex(seal_.get(), nullptr, nullptr, nullptr, nonce.data()), "nonce");
    if (!plain.empty())
        check(EVP_EncryptUpdate(seal_.get(), out, &done, plain.data(),
                                static_cast<int>(plain.size())),
              "encryption");
    check(EVP_EncryptFinal_ex(seal_.get(), out + done, &none), "encryption");
    check(EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, kTag, out + plain.size()), "tag");
}

bool Chunks::open(uint64_t chunk, bool last, std::span<const uint8_t> stored, uint8_t* out) {
    if (chunk >= kMostChunks || stored.size() < kTag) return false;
    const size_t size = stored.size() - kTag;
    const Nonce nonce = nonce_of(chunk, last);
    std::array<uint8_t, kTag> tag, nothing;
    std::copy(stored.end() - kTag, stored.end(), tag.begin());
    int done = 0, none = 0;
    check(EVP_DecryptInit_ex(open_.get(), nullptr, nullptr, nullptr, nonce.data()), "nonce");
    check(EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()), "tag");
    if (size > 0)
        check(EVP_DecryptUpdate(open_.get(), out, &done, stored.data(), static_cast<int>(size)),
              "decryption");
    if (EVP_DecryptFinal_ex(open_.get(), nothing.data(), &none) > 0) return true;
    ERR_clear_error();
    bk::wipe(out, size);
    return false;
}

} // namespace aes256gcm
