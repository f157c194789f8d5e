#include "core/base/digest.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>
#include <openssl/evp.h>
#include <xxhash.h>

namespace bkhost {
namespace {
void need(bool ok) {
    if (!ok) throw bk::Error(BK_E_INTERNAL, "sha-256 failed in the OpenSSL library");
}
std::string hex_of(XXH128_hash_t hash) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash);
    return to_hex(std::span<const uint8_t>(canonical.digest, sizeof canonical.digest));
}
} // namespace

struct Sha256::Context {
    EVP_MD_CTX* md = EVP_MD_CTX_new();
    Context() { need(md != nullptr && EVP_DigestInit_ex(md, EVP_sha256(), nullptr) == 1); }
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;
    ~Context() { EVP_MD_CTX_free(md); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const uint8_t> bytes) {
    need(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
    std::array<uint8_t, 32> hash{};
    need(EVP_DigestFinal_ex(context_->md, hash.data(), nullptr) == 1);
    need(EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr) == 1);
    return to_hex(hash);
}

std::string sha256_hex(std::span<const uint8_t> bytes) {
    Sha256 hash;
    hash.update(bytes);
    return hash.finish();
}

std::string xxh3_hex(std::span<const uint8_t> bytes) {
    return hex_of(XXH3_128bits(bytes.data(), bytes.size()));
}

struct Xxh3::State {
    XXH3_state_t* xxh = XXH3_createState();
    State() {
        if (xxh == nullptr) throw std::bad_alloc();
        XXH3_128bits_reset(xxh);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { XXH3_freeState(xxh); }
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) {}
Xxh3::~Xxh3() = default;
void Xxh3::update(std::span<const uint8_t> bytes) {
    XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size());
}
std::string Xxh3::finish() {
    std::string hex = hex_of(XXH3_128bits_digest(state_->xxh));
    XXH3_128bits_reset(state_->xxh);
    return hex;
}

} // namespace bkhost
