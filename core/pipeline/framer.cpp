#include "core/pipeline/framer.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstring>

namespace bkhost {
namespace {

UnitFramer& framer_of(bk_dump_sink* sink) { return *static_cast<UnitFramer*>(sink->ctx); }

RowSum sum_of(uint64_t rows, const uint64_t digest[2]) {
    return {rows, digest[0], digest[1], rows == 0 || digest[0] != 0 || digest[1] != 0};
}

} // namespace

UnitFramer::UnitFramer(const Setup& setup, FrameFlow& flow, SectionTable& sections,
                       DumpRecords& records)
    : setup_(setup), flow_(flow), sections_(sections), records_(records), sink_{} {
    sink_.struct_size = sizeof sink_;
    sink_.fragment_target = setup.fragment_target;
    sink_.ctx = this;
    sink_.section = [](bk_dump_sink* sink, const bk_section* section, bk_error* error) noexcept {
        return bk::guard(error, [&] { return framer_of(sink).section(*section), BK_OK; });
    };
    sink_.write = [](bk_dump_sink* sink, const void* data, size_t len, bk_error* error) noexcept {
        return bk::guard(error, [&] {
            return framer_of(sink).write({static_cast<const uint8_t*>(data), len}), BK_OK;
        });
    };
    sink_.cut = [](bk_dump_sink* sink, const bk_fragment* fragment, bk_error* error) noexcept {
        return bk::guard(error, [&] {
            return framer_of(sink).cut(sum_of(fragment->rows, fragment->digest)), BK_OK;
        });
    };
    sink_.meta = [](bk_dump_sink* sink, const char* key, const char* json,
                    bk_error* error) noexcept {
        return bk::guard(error, [&] { return framer_of(sink).records_.meta(key, json), BK_OK; });
    };
    sink_.proof = [](bk_dump_sink* sink, const char* namespace_name, const char* table,
                     uint64_t rows, const uint64_t digest[2], bk_error* error) noexcept {
        return bk::guard(error, [&] {
            return framer_of(sink).records_.proof(namespace_name, table, sum_of(rows, digest)),
                   BK_OK;
        });
    };
}

UnitFramer::~UnitFramer() {
    if (frame_) flow_.recycle(std::move(frame_));
    if (holding_) flow_.release(setup_.unit);
}

void UnitFramer::section(const bk_section& section) {
    if (in_fragment_) cut({});
    const SectionInfo& next = sections_.get(setup_.component, section);
    if (section_ != nullptr && (next.phase < section_->phase ||
                                (next.phase == section_->phase && next.step < section_->step)))
        throw bk::Error(BK_E_INVALID, "section '" + next.name +
                                          "': its phase lies before that of '" + section_->name +
                                          "'");
    if (frame_ && frame_->size > 0 && (frame_->phase != next.phase || frame_->step != next.step))
        submit();
    section_ = &next;
    marker_ = setup_.marker.empty() ? std::string() : section_marker(next, setup_.marker);
}

void UnitFramer::write(std::span<const uint8_t> bytes) {
    if (section_ == nullptr)
        throw bk::Error(BK_E_INVALID, "the dumper wrote bytes before it named a section");
    bytes_ += bytes.size();
    while (!bytes.empty()) {
        if (!in_fragment_) begin_fragment();
        if (room() == 0) overflow();
        const size_t n = std::min(room(), bytes.size());
        append(bytes.first(n));
        bytes = bytes.subspan(n);
    }
}

void UnitFramer::cut(const RowSum& sum) {
    if (!in_fragment_) {
        if (sum.rows > 0) throw bk::Error(BK_E_INVALID, "the dumper cut rows without bytes");
        return;
    }
    frame_->segments.back().sum.add(sum);
    in_fragment_ = false;
    if (spanning_ || frame_->size >= setup_.frame_size) submit();
    spanning_ = false;
    if (!setup_.ordered) release();
}

void UnitFramer::finish() {
    if (in_fragment_) cut({});
    if (frame_ && frame_->size > 0) submit();
    release();
}

void UnitFramer::begin_fragment() {
    if (setup_.ordered) hold();
    if (!frame_) {
        frame_ = flow_.acquire();
        frame_->phase = section_->phase;
        frame_->step = section_->step;
    }
    safe_end_ = frame_->size;
    began_segment_ =
        frame_->segments.empty() || frame_->segments.back().section != section_->number;
    if (began_segment_ && marker_.size() > room() && frame_->size > 0) {
        submit(); // not even the marker fits
        begin_fragment();
        return;
    }
    if (began_segment_) begin_segment(false);
    fragment_start_ = frame_->size;
    in_fragment_ = true;
}

void UnitFramer::begin_segment(bool continued) {
    if (!continued && !marker_.empty()) {
        if (marker_.size() > room())
            throw bk::Error(BK_E_INVALID, "section '" + section_->name.substr(0, 80) +
                                              "…': its name is longer than a frame");
        std::memcpy(frame_->data.get() + frame_->size, marker_.data(), marker_.size());
        frame_->size += marker_.size();
    }
    Segment segment;
    segment.section = section_->number;
    segment.offset = frame_->size;
    segment.continued = continued;
    frame_->segments.push_back(segment);
}

void UnitFramer::append(std::span<const uint8_t> bytes) {
    std::memcpy(frame_->data.get() + frame_->size, bytes.data(), bytes.size());
    frame_->size += bytes.size();
    frame_->segments.back().length += bytes.size();
}

/// The fragment does not fit: what stands before it goes out as a frame of its own, or, when
/// nothing does, the frame goes out with the fragment cut. Only the holder of the volume may own
/// two frames, so the volume is held from here to the fragment's end.
void UnitFramer::overflow() {
    hold();
    if (spanning_ || safe_end_ == 0) {
        frame_->more = true;
        submit();
        frame_ = flow_.acquire();
        frame_->phase = section_->phase;
        frame_->step = section_->step;
        spanning_ = true;
        begin_segment(true);
        return;
    }
    FramePtr full = std::move(frame_);
    frame_ = flow_.acquire();
    frame_->phase = section_->phase;
    frame_->step = section_->step;
    const std::span<const uint8_t> tail(full->data.get() + fragment_start_,
                                        full->size - fragment_start_);
    begin_segment(false);
    fragment_start_ = frame_->size;
    append(tail);
    full->size = safe_end_;
    if (began_segment_)
        full->segments.pop_back();
    else
        full->segments.back().length -= tail.size();
    safe_end_ = 0;
    began_segment_ = true;
    flow_.submit(setup_.unit, std::move(full));
}

void UnitFramer::submit() { flow_.submit(setup_.unit, std::move(frame_)); }

void UnitFramer::hold() {
    if (!holding_) flow_.hold(setup_.unit);
    holding_ = true;
}

void UnitFramer::release() {
    if (holding_) flow_.release(setup_.unit);
    holding_ = false;
}

} // namespace bkhost
