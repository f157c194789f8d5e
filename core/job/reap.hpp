// Looks after what processes left behind that died: whoever starts next does this first.
#pragma once

#include "core/job/context.hpp"

#include <cstddef>

namespace bkhost {

struct ReapResult {
    size_t adopted = 0;     ///< archives that were whole: their rows are completed now
    size_t interrupted = 0; ///< rows of backups whose leftovers were removed
    size_t restores = 0;    ///< rows of restores
    size_t deletions = 0;   ///< that another process had begun and that are complete now
};

/// For each active row whose lease is dead: a manifest that exists and whose objects are all there
/// makes it completed; else its objects and uploads are removed and it is interrupted. A copy on a
/// storage that does not answer stays `uploading`, with a warning, and every later call looks at it
/// again (and at what a failed run could not remove). A deletion that did not come to its end is
/// gone on with; the mark of a dead restore is removed. Safe to run from several processes at once.
ReapResult reap(const JobContext& context, const OpenStorage& open_storage);

} // namespace bkhost
