// Reads the index as a stream of records.
#pragma once

#include "core/archive/index_audit.hpp"
#include "core/archive/index_records.hpp"
#include "core/archive/object_reader.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

/// Confined to one thread. Holds one line and two buffers, whatever the size of the index.
class IndexReader {
public:
    /// The manifest must outlive it. `compressor` none: the lines are stored as they are.
    IndexReader(const ArchiveAccess& access, const Manifest& manifest, const DriverPtr& compressor);

    /// The next record; nothing after the end record. Throws CORRUPT for a damaged index, one that
    /// is truncated, belongs to another archive, or breaks a rule of the format (IndexAudit).
    [[nodiscard]] std::optional<IndexRecord> next();

private:
    [[nodiscard]] bool next_line(std::string& line);
    bool fill();
    [[noreturn]] void corrupt(const std::string& what) const;

    std::string object_;
    IndexAudit audit_;
    ObjectReader object_reader_;
    std::unique_ptr<Codec> codec_;
    std::vector<uint8_t> packed_, plain_;
    size_t packed_size_ = 0, packed_pos_ = 0;
    std::string pending_; ///< plain text not yet handed out
    size_t pending_pos_ = 0;
    bool ended_ = false, source_end_ = false;
};

} // namespace bkhost
