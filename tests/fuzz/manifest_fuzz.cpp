// manifest.json: as it is, and with its last line made to fit, so that the digest hides nothing.
#include "core/archive/manifest.hpp"
#include "core/base/digest.hpp"
#include "core/base/text.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <string>

namespace {

using namespace bkhost;

constexpr std::string_view kLastLine = "\"manifest_sha256\":\"";

void read(std::string_view text) {
    Manifest manifest;
    if (!fuzz::succeeds({BK_E_CORRUPT, BK_E_UNSUPPORTED},
                        [&] { manifest = parse_manifest(text, "object 'manifest.json'"); }))
        return;
    for (const ObjectRecord& object : manifest.objects())
        fuzz::require(object.key.find('/') == std::string::npos && object.key.front() != '.',
                      "a key stays in the archive's folder");
    const std::string written = manifest_text(manifest);
    Manifest again = parse_manifest(written, "what was written");
    fuzz::require(manifest_text(again) == written, "what is written is read as it was");
}

} // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    read(text);
    std::string fitting(text.substr(0, text.rfind(kLastLine)));
    if (!fitting.ends_with('\n')) fitting += '\n';
    const std::string digest = sha256_hex(as_bytes(fitting));
    read(fitting.append(kLastLine).append(digest).append("\"}\n"));
    return 0;
}
