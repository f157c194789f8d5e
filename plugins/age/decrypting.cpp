// What is age's own about reading: the keys and the header.
#include "decrypting.hpp"

namespace age_plugin {

Decrypting::Decrypting(Unlock unlock) : ChunkOpener("age"), unlock_(std::move(unlock)) {
    if (unlock_.identities.empty() && unlock_.passphrase.empty())
        throw bk::Error(BK_E_CONFIG, "age: no key to decrypt with",
                        "name a key file in 'identity-files', or set 'passphrase'");
}

std::optional<Decrypting::Opened> Decrypting::take_header(bk_in& in) {
    if (!header_.take(in)) return std::nullopt;
    const Header header = parse_header(header_.text());
    const FileKey file_key = unwrap(header.stanzas, unlock_);
    verify_header(header, file_key);
    return Opened{Payload(file_key, header_.nonce()), header_.size()};
}

std::vector<std::string> Decrypting::fingerprints() {
    std::vector<std::string> all;
    for (const Identity& identity : unlock_.identities)
        all.push_back(fingerprint(identity.recipient));
    if (!unlock_.passphrase.empty()) all.emplace_back(kScryptFingerprint);
    return all;
}

} // namespace age_plugin
