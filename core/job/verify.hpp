// Looks at an archive on one storage: quick < stored < full.
#pragma once

#include "core/job/open_archive.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace bkhost {

struct VerifyProblem {
    std::string object, text;
};

struct VerifyResult {
    std::string id, storage;
    VerifyLevel level = VerifyLevel::quick;
    VerifyOutcome outcome = VerifyOutcome::ok;
    std::vector<VerifyProblem> problems;
    uint64_t bytes_read = 0;
    TimeMs at_ms = 0;
    int64_t duration_ms = 0;
    std::string manifest_sha256;
};

/// quick: the manifest, and that every object is there with its size. stored: every stored byte,
/// sha256; needs no key. full: decrypted, decompressed, every checksum, and the index against
/// itself and the manifest. A damaged archive is a result, not an error; inconclusive when the
/// storage did not answer. Throws what prevents a look at all: no key (DENIED), CONFIG, CANCELLED,
/// no such archive. The result is written beside the archive and into the catalog's row, where
/// there is one.
[[nodiscard]] VerifyResult verify_archive(const JobContext& context, const ArchivePlace& place,
                                          VerifyLevel level, const DecryptOptions& decrypt,
                                          uint64_t memory);

} // namespace bkhost
