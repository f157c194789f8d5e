#include "core/archive/index_audit.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {

void need(bool holds, const std::string& what) {
    if (!holds) throw bk::Error(BK_E_CORRUPT, what);
}

std::string named(const char* what, uint64_t number) {
    return std::string(what) + " " + std::to_string(number);
}

} // namespace

void IndexAudit::take(const IndexRecord& record) {
    if (const auto* first = std::get_if<IndexBegin>(&record)) return begin(*first);
    need(begun_, "its first line is missing");
    need(!ended_, "something follows its end");
    if (const auto* section = std::get_if<SectionInfo>(&record))
        take_section(*section);
    else if (const auto* frame = std::get_if<IndexFrame>(&record))
        take_frame(*frame);
    else if (const auto* volume = std::get_if<IndexVolume>(&record))
        take_volume(*volume);
    else if (const auto* total = std::get_if<IndexTotal>(&record))
        take_total(*total);
    else if (const auto* proof = std::get_if<IndexProof>(&record))
        rows_.add(proof->sum);
    else if (std::holds_alternative<Warning>(record))
        ++warnings_;
    else if (const auto* last = std::get_if<IndexEnd>(&record))
        end(*last);
}

void IndexAudit::begin(const IndexBegin& record) {
    need(!begun_, "it begins twice");
    need(record.id == manifest_.id, "it belongs to another archive, '" + record.id + "'");
    begun_ = true;
}

void IndexAudit::take_section(const SectionInfo& record) {
    need(record.phase <= BK_PHASE_META && record.component < manifest_.components.size(),
         named("section", record.number) + " has an unknown phase or component");
    const bool is_new =
        sections_
            .emplace(record.number,
                     Section{record.component, record.phase, record.step, 0, {}, false})
            .second;
    need(is_new, named("section", record.number) + " is there twice");
}

void IndexAudit::take_frame(const IndexFrame& frame) {
    const std::string name = named("frame", frame.number);
    if (frame.component != component_) { // components follow each other, each from frame 0
        need(frame.component == component_ + 1 && volume_frames_ == 0,
             name + " is of another component");
        component_ = frame.component;
        volume_ = 0;
        next_frame_ = 0;
        phase_ = 0;
    }
    need(frame.number == next_frame_, named("frame", next_frame_) + " is missing");
    need(frame.volume == volume_ && frame.plain_offset == volume_plain_ &&
             frame.packed_offset == volume_packed_,
         name + " does not follow the one before it");
    need(component_ < manifest_.components.size() &&
             volume_ < manifest_.components[component_].volumes.size(),
         name + " is of " + named("volume", volume_) + ", which the manifest does not have");
    take_segments(frame);
    ++next_frame_;
    ++frames_;
    ++volume_frames_;
    volume_plain_ += frame.plain_length;
    volume_packed_ += frame.packed_length;
    plain_ += frame.plain_length;
}

void IndexAudit::take_segments(const IndexFrame& frame) {
    const std::string name = named("frame", frame.number);
    need(!frame.segments.empty(), name + " belongs to no section");
    const bool in_group = group_.has_value();
    if (in_group || frame.more)
        need(frame.segments.size() == 1, name + " shares a fragment that spans frames");
    for (const IndexSegment& segment : frame.segments) {
        const auto found = sections_.find(segment.section);
        need(found != sections_.end() && found->second.component == frame.component,
             named("section", segment.section) + " is not described");
        Section& section = found->second;
        const Section& first = sections_.at(frame.segments.front().section);
        need(section.phase == first.phase && section.step == first.step, name + " mixes phases");
        need(segment.section_offset == section.bytes,
             named("section", segment.section) + " has a gap");
        need(segment.first == (section.bytes == 0),
             named("section", segment.section) + " begins elsewhere");
        need(segment.continued == in_group && (!in_group || *group_ == segment.section),
             name + " goes on with another fragment");
        section.bytes += segment.length;
        section.sum.add(segment.sum);
    }
    const Section& last = sections_.at(frame.segments.back().section);
    need(last.phase >= phase_, name + " goes back to an earlier phase");
    phase_ = last.phase;
    group_ = frame.more ? std::optional(frame.segments.back().section) : std::nullopt;
}

void IndexAudit::take_volume(const IndexVolume& volume) {
    const std::string name = named("volume", volume.number);
    need(!group_, name + " ends within a fragment");
    need(volume.component == component_ && volume.number == volume_ &&
             volume.component < manifest_.components.size() &&
             volume.number < manifest_.components[volume.component].volumes.size(),
         name + " is not the manifest's");
    const ObjectRecord& object = manifest_.components[volume.component].volumes[volume.number];
    need(volume.frames == volume_frames_ && volume.plain == volume_plain_ &&
             volume.packed == volume_packed_ && object.plain_size == volume_plain_ &&
             object.packed_size == volume_packed_,
         "the sums of " + name + " differ");
    ++volume_;
    volume_frames_ = volume_plain_ = volume_packed_ = 0;
}

void IndexAudit::take_total(const IndexTotal& total) {
    const auto found = sections_.find(total.section);
    need(found != sections_.end() && !found->second.totalled,
         named("section", total.section) + " has sums and no description, or twice");
    Section& section = found->second;
    need(section.bytes == total.bytes && section.sum.rows == total.sum.rows &&
             section.sum.counted == total.sum.counted &&
             digest_text(section.sum) == digest_text(total.sum),
         "the sums of " + named("section", total.section) + " differ");
    section.totalled = true;
    ++totals_;
    rows_.add(total.sum);
}

void IndexAudit::end(const IndexEnd& record) {
    uint64_t frames = 0;
    for (const ComponentRecord& component : manifest_.components)
        frames += component.frames;
    need(volume_frames_ == 0, "its last volume has no sums");
    need(totals_ == sections_.size() && record.sections == sections_.size(),
         "a section has no sums");
    need(record.frames == frames_ && frames == frames_, "the number of frames differs");
    need(record.plain == plain_ && manifest_.plain_size == plain_,
         "the sum of the plain bytes differs");
    need(!manifest_.rows || !rows_.counted || *manifest_.rows == rows_.rows,
         "the number of rows differs");
    need(manifest_.warnings == warnings_, "the number of warnings differs");
    need(!manifest_.components.empty() && component_ + 1 == manifest_.components.size() &&
             volume_ == manifest_.components.back().volumes.size(),
         "a volume of the manifest is not in it");
    ended_ = true;
}

} // namespace bkhost
