// The header is made at the first process() and not in create, for scrypt is slow on purpose.
#include "encrypting.hpp"

#include "stanzas.hpp"

namespace age_plugin {

Encrypting::Encrypting(Lock lock) : ChunkSealer("age"), lock_(std::move(lock)) {
    if (!lock_.passphrase.empty() && !lock_.recipients.empty())
        throw bk::Error(BK_E_CONFIG, "age: a passphrase cannot stand beside recipients",
                        "give one of the two");
    if (lock_.passphrase.empty() && lock_.recipients.empty())
        throw bk::Error(BK_E_CONFIG, "age: nobody to encrypt to",
                        "set 'recipients', 'recipients-files' or 'passphrase'");
}

Encrypting::Beginning Encrypting::begin() {
    FileKey file_key;
    random_bytes(file_key);
    std::vector<Stanza> stanzas;
    for (const Point& recipient : lock_.recipients)
        stanzas.push_back(wrap_x25519(file_key, recipient));
    if (!lock_.passphrase.empty())
        stanzas.push_back(wrap_scrypt(file_key, lock_.passphrase.reveal(), lock_.work_factor));
    const std::string text = write_header(stanzas, file_key);
    PayloadNonce nonce;
    random_bytes(nonce);
    std::vector<uint8_t> header(text.begin(), text.end());
    header.insert(header.end(), nonce.begin(), nonce.end());
    return {std::move(header), Payload(file_key, nonce)};
}

std::vector<std::string> Encrypting::fingerprints() {
    std::vector<std::string> all;
    for (const Point& recipient : lock_.recipients)
        all.push_back(fingerprint(recipient));
    if (!lock_.passphrase.empty()) all.emplace_back(kScryptFingerprint);
    return all;
}

} // namespace age_plugin
