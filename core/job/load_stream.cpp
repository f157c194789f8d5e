#include "core/job/load_stream.hpp"

#include "core/job/load_piece.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstring>

namespace bkhost {

LoadStream::LoadStream(FrameReader& frames, LoadSession& session, const std::string& archive_id,
                       RunObserver& observer, Wanted wanted)
    : frames_(frames), session_(session), archive_id_(archive_id), observer_(observer),
      wanted_(std::move(wanted)) {}

LoadStream::~LoadStream() {
    if (frame_) frames_.recycle(std::move(frame_));
}

bool LoadStream::next_frame() {
    if (frame_) frames_.recycle(std::move(frame_));
    frame_ = frames_.next();
    segment_ = 0;
    return frame_ != nullptr;
}

void LoadStream::run() {
    while (next_frame())
        for (; segment_ < frame_->index.segments.size(); ++segment_) {
            if (wanted_ && !wanted_(frame_->index.segments[segment_].section)) continue;
            load_segment();
            rows_ += frame_->index.segments[segment_].sum.rows; // of a group they stand at its end
        }
}

void LoadStream::load_segment() {
    const IndexSegment& segment = frame_->index.segments[segment_];
    if (segment.continued)
        throw bk::Error(BK_E_CORRUPT, "frame " + std::to_string(frame_->index.number) +
                                          " goes on with a fragment that no frame began");
    const SectionInfo section = frames_.section(segment.section);
    const bool spans = frame_->index.more && segment_ + 1 == frame_->index.segments.size();
    remaining_ = frame_->bytes().subspan(segment.offset, segment.length);
    load_piece(session_, archive_id_,
               {.section = section,
                .first = segment.first,
                .frame = frame_->index.number,
                .section_offset = segment.section_offset,
                .size = spans ? 0 : segment.length, // of a group it is known only at its end
                .sum = segment.sum},
               [this](std::span<uint8_t> buffer) { return read(buffer); });
}

size_t LoadStream::read(std::span<uint8_t> buffer) {
    while (remaining_.empty())
        if (!continue_piece()) return 0;
    const size_t n = std::min(buffer.size(), remaining_.size());
    std::memcpy(buffer.data(), remaining_.data(), n);
    remaining_ = remaining_.subspan(n);
    bytes_ += n;
    observer_.add_plain(n);
    return n;
}

/// At the end of a frame whose fragment goes on: the next frame's first segment is the same piece.
bool LoadStream::continue_piece() {
    if (!frame_->index.more || segment_ + 1 != frame_->index.segments.size()) return false;
    const uint32_t section = frame_->index.segments[segment_].section;
    if (!next_frame() || frame_->index.segments.empty() ||
        !frame_->index.segments.front().continued ||
        frame_->index.segments.front().section != section)
        throw bk::Error(BK_E_CORRUPT, "a fragment that spans frames is not continued");
    const IndexSegment& segment = frame_->index.segments.front();
    remaining_ = frame_->bytes().subspan(segment.offset, segment.length);
    return true;
}

} // namespace bkhost
