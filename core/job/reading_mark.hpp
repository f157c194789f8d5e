// The marks of running restores beside an archive (FORMAT.md, section 1): they keep a deletion away
// that knows nothing of the restore, since it has another catalog.
#pragma once

#include "core/job/own_storage.hpp"

#include <memory>
#include <optional>
#include <string>

namespace bkhost {

/// How long a mark counts from its time. A restore that died on a machine that never comes back
/// keeps its archive for so long.
inline constexpr int64_t kReadingMarkMs = int64_t{7} * 24 * 3600 * 1000;

/// The key of a mark in the archive's folder that still counts; nothing when nobody reads it.
[[nodiscard]] std::optional<std::string> find_reading_mark(Storage& storage,
                                                           const std::string& folder, TimeMs now);

/// Removes the marks that this restore left.
void remove_reading_marks(Storage& storage, const std::string& folder,
                          const std::string& restore_id);

/// Writes a mark and removes it at its end, both as far as the storage lets it: who may only read
/// can restore too. Confined. References must outlive it.
class ReadingMark {
public:
    ReadingMark(const JobContext& context, Storage& storage, const std::string& folder,
                const std::string& restore_id);
    ~ReadingMark();
    ReadingMark(const ReadingMark&) = delete;
    ReadingMark& operator=(const ReadingMark&) = delete;

private:
    const JobContext& context_;
    Storage& storage_;
    const std::string key_;
    bool written_ = false;
};

} // namespace bkhost
