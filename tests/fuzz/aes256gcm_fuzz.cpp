// An aes256gcm file under a known key, in pieces of two sizes.
#include "plugins/aes256gcm/opening.hpp"
#include "tests/fuzz/cipher_pieces.hpp"

#include <numeric>

using namespace aes256gcm;

namespace {

/// The key that the corpus is encrypted with, 0, 1, 2 … 31; it protects nothing.
Opening opening() {
    MasterKey key;
    std::iota(key.begin(), key.end(), uint8_t{0});
    std::vector<MasterKey> keys;
    keys.push_back(key);
    return Opening(std::move(keys));
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const auto plain = [&](size_t piece) {
        return bkhost::fuzz::decrypt(opening(), data, size, piece);
    };
    bkhost::fuzz::require(plain(7) == plain(size), "pieces change nothing");
    return 0;
}
