#include "sealing.hpp"

namespace aes256gcm {

Sealing::Sealing(std::vector<MasterKey> keys) : ChunkSealer("aes256gcm"), keys_(std::move(keys)) {
    if (keys_.empty())
        throw bk::Error(BK_E_CONFIG, "aes256gcm: no key to encrypt with",
                        "name a key file in 'key-file', or set 'key'");
    if (keys_.size() > 1)
        throw bk::Error(BK_E_CONFIG,
                        "aes256gcm: " + std::to_string(keys_.size()) + " keys to encrypt with",
                        "give one: others that can be read with belong into a 'decrypt' block");
}

Sealing::Beginning Sealing::begin() {
    const Header header = new_header(keys_.front());
    return {std::vector<uint8_t>(header.begin(), header.end()),
            Chunks(data_key(header, keys_.front()))};
}

std::vector<std::string> Sealing::fingerprints() { return {fingerprint(keys_.front())}; }

} // namespace aes256gcm
