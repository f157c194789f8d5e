// Tries a storage out before anything depends on it: a tiny object is written and removed again.
#pragma once

#include "core/base/clock.hpp"
#include "core/driver/storage.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace bkhost {

/// Whether a trial leaves nothing: on a storage that keeps every object for a time (object lock) it
/// would leave one each time, so there is none.
[[nodiscard]] bool may_be_tried(Storage& storage);

/// Writes a tiny object under `key` and removes it. Throws what the storage threw; whatever was
/// written is removed then too, as far as that is possible.
void try_write(Storage& storage, const std::string& key);

/// As try_write, and between: looks at the object, reads it back, finds it in its folder; after
/// it, looks that it is gone. CORRUPT when the storage answers, but wrongly. Gives the time that
/// the storage's clock is ahead of ours, in milliseconds; nothing when it does not tell the time.
[[nodiscard]] std::optional<int64_t> try_all(Storage& storage, const std::string& key,
                                             const Clock& clock);

} // namespace bkhost
