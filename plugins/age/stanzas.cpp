// Both recipient types. The wrapping cipher's nonce is zero, since each wrapping key is used once.
#include "stanzas.hpp"

#include "base64.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace age_plugin {
namespace {

constexpr std::string_view kX25519 = "X25519";
constexpr std::string_view kScrypt = "scrypt";
constexpr std::string_view kX25519Info = "age-encryption.org/v1/X25519";
constexpr std::string_view kScryptLabel = "age-encryption.org/v1/scrypt";
constexpr size_t kSaltSize = 16;
constexpr size_t kWrappedSize = sizeof(FileKey) + kTagSize;

std::vector<uint8_t> seal_file_key(const Key& key, const FileKey& file_key) {
    std::vector<uint8_t> body(kWrappedSize);
    Aead(key).seal(Nonce{}, file_key, body.data());
    return body;
}

std::optional<FileKey> open_file_key(const Key& key, View body) {
    std::optional<FileKey> file_key(std::in_place);
    if (!Aead(key).open(Nonce{}, body, file_key->data())) file_key.reset();
    return file_key;
}

std::vector<uint8_t> join(View a, View b) {
    std::vector<uint8_t> both(a.begin(), a.end());
    both.insert(both.end(), b.begin(), b.end());
    return both;
}

bool is(const Stanza& stanza, std::string_view type) { return stanza.arguments[0] == type; }

// The argument as bytes of the one size that it may have.
std::vector<uint8_t> bytes_of(const Stanza& stanza, size_t index, size_t size) {
    auto bytes = from_base64(stanza.arguments[index]);
    if (!bytes || bytes->size() != size)
        throw_damaged_header("an argument of a stanza '" + stanza.arguments[0] + "'");
    return *std::move(bytes);
}

void check_shape(const Stanza& stanza, size_t arguments) {
    if (stanza.arguments.size() != arguments || stanza.body.size() != kWrappedSize)
        throw_damaged_header("the shape of a stanza '" + stanza.arguments[0] + "'");
}

Key x25519_wrap_key(const Key& shared, const Point& share, const Point& recipient) {
    return hkdf_sha256(shared, join(share, recipient), kX25519Info);
}

Point share_of(const Stanza& stanza) {
    check_shape(stanza, 2);
    const std::vector<uint8_t> bytes = bytes_of(stanza, 1, sizeof(Point));
    Point share;
    std::copy(bytes.begin(), bytes.end(), share.begin());
    return share;
}

std::optional<FileKey> unwrap_x25519(const Stanza& stanza,
                                     const std::vector<Identity>& identities) {
    const Point share = share_of(stanza);
    for (const Identity& identity : identities) {
        const std::optional<Key> shared = x25519(identity.secret, share);
        if (!shared) throw_damaged_header("the share of a stanza 'X25519' is of low order");
        const Key key = x25519_wrap_key(*shared, share, identity.recipient);
        if (auto file_key = open_file_key(key, stanza.body)) return file_key;
    }
    return std::nullopt;
}

// A decimal number without leading zeros.
int work_factor_of(const Stanza& stanza) {
    const std::string& text = stanza.arguments[2];
    const bool digits =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || text[0] == '0') throw_damaged_header("the work factor of a stanza 'scrypt'");
    const int factor = text.size() > 2 ? kMaxWorkFactor + 1 : std::stoi(text);
    if (factor > kMaxWorkFactor)
        throw bk::Error(BK_E_UNSUPPORTED,
                        "the scrypt work factor of the age file is " + text.substr(0, 20),
                        "the limit is 22, 4 GiB of memory");
    return factor;
}

Key scrypt_wrap_key(std::string_view passphrase, View salt, int work_factor) {
    return scrypt(passphrase, join(view(kScryptLabel), salt), work_factor);
}

FileKey unwrap_scrypt(const Stanza& stanza, std::string_view passphrase) {
    check_shape(stanza, 3);
    const std::vector<uint8_t> salt = bytes_of(stanza, 1, kSaltSize);
    const int work_factor = work_factor_of(stanza);
    if (passphrase.empty())
        throw bk::Error(BK_E_DENIED, "wrong key: the age file is encrypted with a passphrase",
                        "set the option 'passphrase'");
    if (auto file_key = open_file_key(scrypt_wrap_key(passphrase, salt, work_factor), stanza.body))
        return *file_key;
    throw bk::Error(BK_E_DENIED, "wrong key: the passphrase does not open the age file",
                    "check the option 'passphrase'");
}

[[noreturn]] void throw_wrong_key(size_t identities) {
    if (identities == 0)
        throw bk::Error(BK_E_DENIED, "wrong key: the age file is encrypted to recipients",
                        "name the key file of one of them in 'identity-files'");
    throw bk::Error(BK_E_DENIED,
                    "wrong key: none of the identities given (" + std::to_string(identities) +
                        ") opens the age file",
                    "the key file of one of its recipients is needed: compare the fingerprints");
}

} // namespace

Stanza wrap_x25519(const FileKey& file_key, const Point& recipient) {
    Key ephemeral;
    random_bytes(ephemeral);
    const Point share = x25519_public(ephemeral);
    const std::optional<Key> shared = x25519(ephemeral, recipient);
    if (!shared)
        throw bk::Error(BK_E_CONFIG,
                        "age: the recipient '" + recipient_text(recipient) + "' is of low order",
                        "make a key pair with age-keygen");
    const Key key = x25519_wrap_key(*shared, share, recipient);
    return {{std::string(kX25519), base64(share)}, seal_file_key(key, file_key)};
}

Stanza wrap_scrypt(const FileKey& file_key, std::string_view passphrase, int work_factor) {
    std::array<uint8_t, kSaltSize> salt;
    random_bytes(salt);
    const Key key = scrypt_wrap_key(passphrase, salt, work_factor);
    return {{std::string(kScrypt), base64(salt), std::to_string(work_factor)},
            seal_file_key(key, file_key)};
}

FileKey unwrap(const std::vector<Stanza>& stanzas, const Unlock& unlock) {
    for (const Stanza& stanza : stanzas) {
        if (!is(stanza, kScrypt)) continue;
        if (stanzas.size() != 1) throw_damaged_header("a stanza 'scrypt' is not alone");
        return unwrap_scrypt(stanza, unlock.passphrase.reveal());
    }
    for (const Stanza& stanza : stanzas) {
        if (!is(stanza, kX25519)) continue; // other types are for other readers
        if (auto file_key = unwrap_x25519(stanza, unlock.identities)) return *file_key;
    }
    throw_wrong_key(unlock.identities.size());
}

} // namespace age_plugin
