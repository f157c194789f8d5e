// Cuts what one unit writes into frames: the host's side of bk_dump_sink.
#pragma once

#include "core/pipeline/frame_flow.hpp"
#include "core/pipeline/memory_plan.hpp"
#include "core/pipeline/sections.hpp"

#include <bkhost/dumper.h>

#include <cstdint>
#include <span>
#include <string>

namespace bkhost {

/// Where a dumper's meta and proof records go. Thread-safe.
class DumpRecords {
public:
    virtual ~DumpRecords() = default;
    virtual void meta(const std::string& key, const std::string& json) = 0;
    virtual void proof(const std::string& namespace_name, const std::string& table,
                       const RowSum& sum) = 0;
};

/// One unit's way into the pipeline. Confined to the unit's thread. A failure is thrown inside and
/// leaves through the sink as a status.
class UnitFramer {
public:
    struct Setup {
        uint32_t unit = 0, component = 0;
        bool ordered = false; ///< holds the volume from its first byte to its end
        std::string marker;   ///< nonce of the section comment lines; "": there are none
        size_t frame_size = 0;
        uint32_t fragment_target = 0;
    };
    UnitFramer(const Setup& setup, FrameFlow& flow, SectionTable& sections, DumpRecords& records);
    ~UnitFramer(); ///< gives an unfinished frame back
    UnitFramer(const UnitFramer&) = delete;
    UnitFramer& operator=(const UnitFramer&) = delete;

    /// For the dumper; valid as long as this object.
    [[nodiscard]] bk_dump_sink& sink() noexcept { return sink_; }
    /// The unit returned OK: the rest goes out.
    void finish();
    [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

    void section(const bk_section& section);
    void write(std::span<const uint8_t> bytes);
    void cut(const RowSum& sum);

private:
    void begin_fragment();
    void begin_segment(bool continued);
    void append(std::span<const uint8_t> bytes);
    void overflow();
    void submit();
    void hold();
    void release();
    [[nodiscard]] size_t room() const noexcept { return frame_->capacity - frame_->size; }

    const Setup setup_;
    FrameFlow& flow_;
    SectionTable& sections_;
    DumpRecords& records_;
    bk_dump_sink sink_;

    FramePtr frame_;
    const SectionInfo* section_ = nullptr;
    std::string marker_;
    bool in_fragment_ = false;
    bool spanning_ = false;      ///< the fragment began in an earlier frame
    bool began_segment_ = false; ///< the fragment opened the frame's last segment
    bool holding_ = false;
    size_t fragment_start_ = 0; ///< of its bytes in the frame
    size_t safe_end_ = 0;       ///< where the frame ends without the fragment (and its marker)
    uint64_t bytes_ = 0;
};

} // namespace bkhost
