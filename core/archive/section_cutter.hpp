// Finds the sections in a plain stream of SQL by its marker lines alone (FORMAT.md, section 3),
// without the index.
#pragma once

#include "core/pipeline/sections.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

namespace bkhost {

/// What the sections of one component have come to so far. Confined; grows with their number.
class SectionLedger {
public:
    struct Entry {
        SectionInfo info;
        uint64_t bytes = 0;
    };
    /// A run of the section begins. Gives its entry, as it was before the run. Throws CORRUPT when
    /// the section was described otherwise before, or its phase lies before that of the last run.
    Entry& begin(const SectionInfo& section);
    [[nodiscard]] const std::map<uint32_t, Entry>& entries() const noexcept { return entries_; }

private:
    std::map<uint32_t, Entry> entries_;
    uint32_t phase_ = 0;
};

/// Cuts the stream into runs: what follows one marker up to the next one. Confined; holds one
/// buffer.
class SectionCutter {
public:
    /// Fills its argument as far as the stream goes; 0 at the end.
    using Read = std::function<size_t(std::span<uint8_t>)>;
    SectionCutter(Read read, const std::string& nonce, size_t buffer = size_t{1} << 20);

    /// Goes on to the next run; the one before must be read to its end. False at the end of the
    /// stream. Throws CORRUPT for bytes before the first marker, and for a marker that is damaged.
    [[nodiscard]] bool next();
    [[nodiscard]] const SectionInfo& section() const noexcept { return section_; }
    /// Bytes of the run; 0 at its end.
    [[nodiscard]] size_t read(std::span<uint8_t> buffer);

private:
    void fill();
    void find_end();
    [[nodiscard]] bool run_has_bytes();

    const Read read_;
    const std::string nonce_, start_;
    std::string buffer_;
    size_t size_ = 0, pos_ = 0;
    size_t end_ = 0;         ///< what lies before is of the run
    bool at_marker_ = false; ///< and a marker begins there
    bool ended_ = false;     ///< of the stream
    SectionInfo section_;
};

} // namespace bkhost
