// Reads the index as a stream of records.
#pragma once

#include "core/archive/index_audit.hpp"
#include "core/archive/index_records.hpp"
#include "core/archive/plain_reader.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

/// Confined to one thread. Holds one line and two buffers, whatever the size of the index. An index
/// object that is damaged or missing is CORRUPT or NOT_FOUND with a hint at what works without it.
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
    template <class Body>
    auto hinted(Body&& body) const;
    [[noreturn]] void corrupt(const std::string& what) const;

    std::string object_;
    IndexAudit audit_;
    std::unique_ptr<PlainReader> reader_;
    std::string pending_; ///< plain text not yet handed out
    size_t pending_pos_ = 0;
};

} // namespace bkhost
