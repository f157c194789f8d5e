// Makes the records of an index anew from the frames that were found in the volumes (FORMAT.md,
// section 4). Row counts, digests, proofs, meta and warnings are not in the stream: they are lost.
#pragma once

#include "core/archive/frame_scanner.hpp"
#include "core/archive/index_records.hpp"
#include "core/archive/section_cutter.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace bkhost {

/// Confined. SQL is divided at its section markers; a frame that begins without one goes on with
/// the fragment before. Of any other format no more is known than that a fragment never crosses
/// volumes: a volume is one group of frames, and all is one ordered section.
class IndexBuilder {
public:
    using Add = std::function<void(const IndexRecord&)>;
    /// Component 0 of an archive.
    IndexBuilder(const ComponentRecord& component, Add add);

    /// Throws CORRUPT for what no writer makes.
    void frame(const FoundFrame& found);
    void end_volume();
    /// Totals and the end record; after the last volume.
    void finish();
    [[nodiscard]] uint64_t frames() const noexcept { return frames_; }
    [[nodiscard]] size_t sections() const noexcept { return ledger_.entries().size(); }

private:
    void open(const SectionInfo& section);
    void add_segment(IndexFrame& frame, uint64_t begin, uint64_t end, bool continued);
    void divide(IndexFrame& frame, std::string_view text);
    void hold_back(IndexFrame frame);

    const std::string nonce_, start_; ///< of the section markers; "" when there are none
    const std::string format_;
    const Add add_;
    SectionLedger ledger_;
    SectionLedger::Entry* open_ = nullptr; ///< the section of the last run
    std::optional<IndexFrame> held_;       ///< whether it has `more` shows in the next one
    uint64_t frames_ = 0, plain_size_ = 0;
    IndexVolume volume_; ///< so far
};

} // namespace bkhost
