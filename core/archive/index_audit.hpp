// Holds an index to the rules of FORMAT.md, sections 2 to 4, record by record, and to its manifest.
// What passes here can be restored; a reader that skips it would find out in the middle.
#pragma once

#include "core/archive/index_records.hpp"
#include "core/archive/manifest.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace bkhost {

/// Confined. Memory grows with the number of sections alone.
class IndexAudit {
public:
    /// The manifest must outlive it.
    explicit IndexAudit(const Manifest& manifest) : manifest_(manifest) {}
    /// In the order of the index. Throws CORRUPT with what is wrong, without naming the object.
    void take(const IndexRecord& record);
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    struct Section {
        uint32_t component = 0, phase = 0, step = 0;
        uint64_t bytes = 0;
        RowSum sum;
        bool totalled = false;
    };
    void begin(const IndexBegin& record);
    void take_section(const SectionInfo& record);
    void take_frame(const IndexFrame& record);
    void take_segments(const IndexFrame& record);
    void take_volume(const IndexVolume& record);
    void take_total(const IndexTotal& record);
    void end(const IndexEnd& record);

    const Manifest& manifest_;
    bool begun_ = false, ended_ = false;
    std::map<uint32_t, Section> sections_;
    uint32_t component_ = 0, volume_ = 0; ///< of the open volume
    uint64_t next_frame_ = 0;             ///< of the component
    uint64_t volume_frames_ = 0, volume_plain_ = 0, volume_packed_ = 0;
    uint32_t phase_ = 0;
    std::optional<uint32_t> group_; ///< section of the fragment that goes on in the next frame
    uint64_t frames_ = 0, plain_ = 0, totals_ = 0, warnings_ = 0;
    RowSum rows_;
};

} // namespace bkhost
