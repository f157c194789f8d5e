// Keys as text. The formats are those of age and age-keygen.
#include "keys.hpp"

#include "bech32.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <ctime>

namespace age_plugin {
namespace {

constexpr std::string_view kRecipientPrefix = "age";
constexpr std::string_view kIdentityPrefix = "age-secret-key-";

constexpr const char* kRecipientHint = "a recipient is a text age1..., the public key that "
                                       "age-keygen shows; key plugins and ssh keys are not taken";
constexpr const char* kIdentityHint = "a key file has lines AGE-SECRET-KEY-1..., as age-keygen "
                                      "writes them; decrypt a protected one with age -d first";

bool looks_secret(std::string_view text) {
    return text.starts_with("AGE-") || text.starts_with("age-");
}

// Calls `take(line, where)` for each line that holds something.
template <class Take>
void each_line(std::string_view text, const std::string& origin, Take take) {
    for (size_t number = 1; !text.empty(); ++number) {
        const size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        take(line, "line " + std::to_string(number) + " of " + origin);
    }
}

// The 32 bytes of a key text; false when it is none.
template <class Bytes>
bool decode_key(std::string_view text, std::string_view prefix, Bytes& key) {
    const auto decoded = from_bech32(text);
    if (!decoded || decoded->prefix != prefix || decoded->content.size() != key.size())
        return false;
    std::copy(decoded->content.begin(), decoded->content.end(), key.begin());
    return true;
}

} // namespace

std::string recipient_text(const Point& recipient) { return bech32(kRecipientPrefix, recipient); }

Point parse_recipient(std::string_view text) {
    if (looks_secret(text))
        throw bk::Error(BK_E_CONFIG, "age: a secret key stands where a recipient is wanted",
                        kRecipientHint);
    Point point;
    if (!text.starts_with("age1") || !decode_key(text, kRecipientPrefix, point))
        throw bk::Error(BK_E_CONFIG, "age: '" + std::string(text) + "' is not a recipient",
                        kRecipientHint);
    return point;
}

void parse_recipients(std::string_view text, const std::string& origin, std::vector<Point>& all) {
    each_line(text, origin, [&](std::string_view line, const std::string& where) {
        try {
            all.push_back(parse_recipient(line));
        } catch (const bk::Error& error) {
            throw bk::Error(error.status(), error.message() + " (" + where + ")", error.hint());
        }
    });
}

void parse_identities(std::string_view text, const std::string& origin,
                      std::vector<Identity>& all) {
    each_line(text, origin, [&](std::string_view line, const std::string& where) {
        Identity identity;
        if (!line.starts_with("AGE-SECRET-KEY-1") ||
            !decode_key(line, kIdentityPrefix, identity.secret))
            throw bk::Error(BK_E_CONFIG, "age: " + where + " is not an identity", kIdentityHint);
        identity.recipient = x25519_public(identity.secret);
        all.push_back(identity);
    });
}

std::string fingerprint(const Point& recipient) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const Digest digest = sha256(view(recipient_text(recipient)));
    std::string text = "age-x25519:";
    for (size_t i = 0; i < 8; ++i) {
        text += kDigits[digest[i] >> 4];
        text += kDigits[digest[i] & 15];
    }
    return text;
}

Identity new_identity() {
    Identity identity;
    random_bytes(identity.secret);
    identity.recipient = x25519_public(identity.secret);
    return identity;
}

SecretText key_file_text(const Identity& identity) {
    std::array<char, 32> created{};
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::strftime(created.data(), created.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);

    std::string secret = bech32(kIdentityPrefix, identity.secret);
    std::transform(secret.begin(), secret.end(), secret.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    std::string text;
    text.reserve(300);
    text.append("# created: ").append(created.data());
    text.append("\n# public key: ").append(recipient_text(identity.recipient));
    text.append("\n").append(secret).append("\n");
    bk::wipe(secret.data(), secret.size());
    return SecretText(std::move(text));
}

} // namespace age_plugin
