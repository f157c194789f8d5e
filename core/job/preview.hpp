// What a restore would do, without doing it: nothing is written anywhere.
#pragma once

#include "core/archive/manifest.hpp"
#include "core/job/restore.hpp"

#include <bkhost/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

/// One section of the archive, or a table whose rows are proven beside a page image.
struct PreviewItem {
    std::string kind, namespace_name, name;
    std::optional<uint64_t> bytes; ///< plain; nothing for a table within a page image
    std::optional<uint64_t> rows;  ///< nothing where they are not counted
};

/// What stands where the restore would go.
struct PreviewTarget {
    bool exists = false;
    bool whole_file = false; ///< it is a file, and the restore makes all of it anew
    std::string engine, version;
    uint64_t size = 0;                   ///< bytes; 0 unknown
    std::vector<std::string> tables;     ///< "main.users"
    std::vector<std::string> in_the_way; ///< those of them that the restore would have to replace
};

/// How long it would take, by what was measured here before.
struct Prediction {
    std::optional<int64_t> duration_ms;
    std::string basis; ///< "the median of 3 restores of 'shop' from storage 'here'"
};

struct RestorePreview {
    Manifest manifest;
    std::string storage;            ///< the copy that would be read
    bool index_read = false;        ///< the items are known
    std::vector<PreviewItem> items; ///< in the order of the index
    uint64_t bytes_to_fetch = 0;    ///< stored bytes
    uint64_t objects = 0;           ///< that they lie in
    uint64_t bytes_to_load = 0;     ///< plain bytes
    bool at_most = false; ///< the driver takes tables out of an image and reads what it needs
    std::vector<std::string> left_out; ///< what belongs to a chosen table and cannot come, and why
    PreviewTarget target;
    Prediction prediction;
    std::vector<bk::Error> obstacles; ///< why the restore would fail; empty: nothing is in the way
};

/// Looks at the copies in turn, as a restore does, and at the target. What a restore would fail
/// with is an obstacle of the preview where the rest can be told without it (no key, a damaged
/// index, a target that is not empty); else it is thrown: no copy has a manifest that can be read,
/// CANCELLED.
[[nodiscard]] RestorePreview preview_restore(const JobContext& context,
                                             const RestoreRequest& request);

/// From finished restores: those of this source from this storage, else from this storage, else of
/// this source; without any from finished backups of this source, which the basis says.
[[nodiscard]] Prediction predict_restore(const Catalog& catalog, const std::string& source,
                                         const std::string& storage, uint64_t plain_bytes);

} // namespace bkhost
