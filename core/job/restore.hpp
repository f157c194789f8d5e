// Brings an archive back into a database.
#pragma once

#include "core/job/open_archive.hpp"

#include <bkhost/error.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bkhost {

struct RestoreRequest {
    std::string backup_id;
    std::vector<ArchivePlace> places; ///< copies, the best first; the next is tried when one is
                                      ///< damaged or does not answer
    DecryptOptions decrypt;
    DriverSpec target;               ///< dumper driver and where to
    std::string target_text;         ///< for messages and the row, without secrets
    std::string environment;         ///< of the target
    std::vector<std::string> tables; ///< these only, with what belongs to them; empty: all
    bool replace = false;            ///< what is there (with `tables`: of these) may be replaced
    bool sequential = false;         ///< all, from the first byte to the last, without the index
    uint64_t memory = 0;             ///< budget in bytes; 0: the default
    unsigned workers = 0;
    std::string notes;
};

/// Gives the row, completed. Throws what failed; the target is then as it was, as far as the engine
/// allows. CORRUPT and DENIED as OpenArchive and ObjectReader say; EXISTS when the target is not
/// empty. With `tables`: CONFIG when the backup does not have one of them, EXISTS when the target
/// has one; what else is in the target stays, and of the storage only the frames are read that hold
/// what is needed.
[[nodiscard]] RestoreRow run_restore(const JobContext& context, const RestoreRequest& request);

/// Whether another copy may do better: the copy is bad or away, and nothing else is.
[[nodiscard]] bool worth_another_copy(const bk::Error& error);
/// Throws CONFIG for an archive of another driver than the target's, UNSUPPORTED for one that this
/// program does not restore.
void check_restorable(const Manifest& manifest, const std::string& target_driver);

/// The decoded plain stream of every volume, in order.
using StreamOutput = std::function<void(std::span<const uint8_t>)>;
void stream_archive(const JobContext& context, const ArchivePlace& place,
                    const DecryptOptions& decrypt, uint64_t memory, const StreamOutput& output);

} // namespace bkhost
