// Feeds the frames of an archive to a load session, piece by piece in the order of the volume.
#pragma once

#include "core/archive/frame_reader.hpp"
#include "core/driver/dumper.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace bkhost {

/// Confined. A piece is the part of one section that lies in one frame, or in a group of frames
/// that one fragment spans.
class LoadStream {
public:
    /// Which sections to load, by number; empty: all.
    using Wanted = std::function<bool(uint32_t)>;
    LoadStream(FrameReader& frames, LoadSession& session, const std::string& archive_id,
               RunObserver& observer, Wanted wanted = {});
    ~LoadStream();
    LoadStream(const LoadStream&) = delete;
    LoadStream& operator=(const LoadStream&) = delete;

    void run();
    [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] uint64_t rows() const noexcept { return rows_; }

private:
    void load_segment();
    [[nodiscard]] bool next_frame();
    [[nodiscard]] size_t read(std::span<uint8_t> buffer);
    [[nodiscard]] bool continue_piece();

    FrameReader& frames_;
    LoadSession& session_;
    const std::string archive_id_;
    RunObserver& observer_;
    const Wanted wanted_;
    ReadFramePtr frame_;
    size_t segment_ = 0;                 ///< index within the frame
    std::span<const uint8_t> remaining_; ///< of the segment
    uint64_t bytes_ = 0, rows_ = 0;
};

} // namespace bkhost
