// Markers in a stream of SQL: what `restore --sequential` and `reindex` have instead of an index.
// The nonce is known here, as a forger would wish.
#include "core/pipeline/sections.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <string>

using namespace bkhost;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const std::string nonce = "00112233445566778899aabbccddeeff";
    std::string_view text = fuzz::text_of(data, size);
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        SectionInfo section;
        if (!fuzz::succeeds({BK_E_CORRUPT}, [&] { section = parse_section_marker(line, nonce); }))
            continue;
        const std::string written = section_marker(section, nonce);
        fuzz::require(written.ends_with('\n') && written.find('\n') + 1 == written.size(),
                      "a marker is one line");
        fuzz::require(parse_section_marker(std::string_view(written).substr(0, written.size() - 1),
                                           nonce) == section,
                      "a marker is read as it was written");
    }
    return 0;
}
