#include "opening.hpp"

#include <algorithm>

namespace aes256gcm {

Opening::Opening(std::vector<MasterKey> keys) : ChunkOpener("aes256gcm"), keys_(std::move(keys)) {
    if (keys_.empty())
        throw bk::Error(BK_E_CONFIG, "aes256gcm: no key to decrypt with",
                        "name a key file in 'key-file', or set 'key'");
    header_.reserve(kHeaderSize);
}

std::optional<Opening::Opened> Opening::take_header(bk_in& in) {
    const bool whole = bk::collect(header_, kHeaderSize, in);
    const size_t seen = std::min(header_.size(), kMagic.size());
    if (!whole &&
        std::equal(header_.begin(), header_.begin() + static_cast<ptrdiff_t>(seen), kMagic.begin()))
        return std::nullopt;
    Header header{}; // what is no such file is refused at once
    std::copy(header_.begin(), header_.end(), header.begin());
    check_header(header);
    const KeyId id = key_id_of(header);
    for (const MasterKey& key : keys_)
        if (key_id(key) == id) return Opened{Chunks(data_key(header, key)), kHeaderSize};
    throw bk::Error(BK_E_DENIED,
                    "wrong key: none of the keys given (" + std::to_string(keys_.size()) +
                        ") is that of the aes256gcm file",
                    "give the key file that it was encrypted with: compare the fingerprints");
}

std::vector<std::string> Opening::fingerprints() {
    std::vector<std::string> all;
    for (const MasterKey& key : keys_)
        all.push_back(fingerprint(key));
    return all;
}

} // namespace aes256gcm
