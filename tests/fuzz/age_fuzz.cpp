// An age file: its header's grammar, and the whole of it through the cipher in pieces of two sizes.
#include "plugins/age/decrypting.hpp"
#include "plugins/age/header.hpp"
#include "plugins/age/keys.hpp"
#include "tests/fuzz/cipher_pieces.hpp"

#include <string>

namespace {

using namespace age_plugin;
namespace fuzz = bkhost::fuzz;

/// The key that the corpus is encrypted for; it protects nothing.
constexpr std::string_view kIdentity =
    "AGE-SECRET-KEY-1CRMYM0MHDXUD428LKFV98X5XT0VLDWEJWT7SR7MXUURPK2FN6JKQPYG2JZ";

Unlock unlock() {
    Unlock all;
    parse_identities(kIdentity, "the key", all.identities);
    return all;
}

/// The bytes as a header with a MAC of a known key: what was parsed is written and read again.
void read_header(std::string_view text) {
    Header header;
    if (!fuzz::succeeds({BK_E_CORRUPT}, [&] { header = parse_header(text); })) return;
    const FileKey key{};
    std::string written;
    if (!fuzz::succeeds({BK_E_CONFIG}, [&] { written = write_header(header.stanzas, key); }))
        return;
    const Header again = parse_header(written);
    verify_header(again, key);
    fuzz::require(again.stanzas.size() == header.stanzas.size(), "no stanza is lost");
    for (size_t i = 0; i < again.stanzas.size(); ++i)
        fuzz::require(again.stanzas[i].arguments == header.stanzas[i].arguments &&
                          again.stanzas[i].body == header.stanzas[i].body,
                      "a stanza is read as it was written");
    fuzz::require(again.authenticated == header.authenticated,
                  "there is one way to write a header");
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    read_header(fuzz::text_of(data, size));
    const auto plain = [&](size_t piece) {
        return fuzz::decrypt(Decrypting(unlock()), data, size, piece);
    };
    fuzz::require(plain(7) == plain(size), "pieces change nothing");
    return 0;
}
