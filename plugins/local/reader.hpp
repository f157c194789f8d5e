// Objects that are there: their state, and reading a range of one.
#pragma once

#include "key.hpp"
#include "tree.hpp"

#include <bkhost/storage.hpp>

#include <memory>
#include <optional>

namespace local {

/// Nothing when the name is absent or a directory. Throws DENIED for a link, device or the like.
[[nodiscard]] std::optional<struct stat> stat_object(int folder, const std::string& name,
                                                     const std::string& path);

struct ReadRange {
    uint64_t offset, len;
    std::string if_version; ///< "": any
};

/// Throws NOT_FOUND, INVALID for an offset past the end, CORRUPT for another version. The reader
/// gives what the file held at this moment, or CORRUPT if it is cut meanwhile.
[[nodiscard]] std::unique_ptr<bk::Reader> open_reader(const Tree& tree, const Key& key,
                                                      const ReadRange& range, InterruptMark mark);

} // namespace local
