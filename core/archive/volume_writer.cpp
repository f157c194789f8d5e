#include "core/archive/volume_writer.hpp"

#include "core/archive/naming.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

VolumeWriter::VolumeWriter(Setup setup, UploadFan& fan, IndexWriter& index,
                           const SectionTable& sections, const DriverPtr& encryptor,
                           const Services& services, RunObserver& observer)
    : setup_(std::move(setup)), fan_(fan), index_(index), sections_(sections),
      encryptor_(encryptor), services_(services), observer_(observer) {
    index_.add(IndexComponent{setup_.component, setup_.name});
}

VolumeWriter::~VolumeWriter() = default;

void VolumeWriter::run(PackedFlow& flow) {
    while (PackedPtr packed = flow.next()) {
        if (!object_ || finished_) open_volume();
        write_frame(*packed);
        const bool may_end = !packed->more;
        flow.recycle(std::move(packed));
        if (may_end && object_->stored_size() >= setup_.volume_size) close_volume();
    }
    if (frames_ == 0)
        throw bk::Error(BK_E_CORRUPT, "the dump of '" + setup_.name + "' is empty",
                        "an empty dump is never taken for a backup: check the source");
    if (!finished_) close_volume();
}

void VolumeWriter::open_volume() {
    if (object_) object_->commit();
    const auto number = static_cast<uint32_t>(volumes_.size());
    object_ = std::make_unique<ObjectWriter>(fan_, setup_.folder,
                                             volume_name(setup_.name, setup_.extension, number,
                                                         setup_.codec_suffix, setup_.cipher_suffix),
                                             encryptor_, services_);
    if (fingerprints_.empty()) fingerprints_ = object_->fingerprints();
    finished_ = false;
    volume_plain_ = volume_frames_ = 0;
}

void VolumeWriter::close_volume() {
    object_->finish();
    finished_ = true;
    ObjectRecord record = object_->record();
    record.plain_size = volume_plain_;
    index_.add(IndexVolume{setup_.component, static_cast<uint32_t>(volumes_.size()), volume_frames_,
                           volume_plain_, record.packed_size});
    volumes_.push_back(std::move(record));
}

void VolumeWriter::write_frame(const PackedFrame& packed) {
    IndexFrame frame;
    frame.number = frames_;
    frame.component = setup_.component;
    frame.volume = static_cast<uint32_t>(volumes_.size());
    frame.plain_offset = volume_plain_;
    frame.plain_length = packed.plain_size;
    frame.packed_offset = object_->packed_size();
    frame.packed_length = packed.size;
    frame.checksum = packed.checksum;
    frame.more = packed.more;
    uint64_t rows = 0;
    for (const Segment& segment : packed.segments) {
        frame.segments.push_back(place(segment));
        rows += segment.sum.rows;
    }
    const uint64_t stored_before = object_->stored_size();
    object_->write(std::span<const uint8_t>(packed.data).first(packed.size));
    index_.add(frame);
    ++frames_;
    ++volume_frames_;
    volume_plain_ += packed.plain_size;
    plain_size_ += packed.plain_size;
    observer_.add_plain(packed.plain_size);
    observer_.add_stored(object_->stored_size() - stored_before);
    observer_.add_rows(rows);
}

/// Where a segment lies in its section: known only here, where frames have their final order.
IndexSegment VolumeWriter::place(const Segment& segment) {
    if (segment.section >= totals_.size()) totals_.resize(segment.section + 1);
    Total& total = totals_[segment.section];
    const bool first = !std::exchange(total.announced, true);
    if (first) index_.add(sections_.at(segment.section));
    IndexSegment placed{segment.section, segment.offset, segment.length,   total.bytes,
                        segment.sum,     first,          segment.continued};
    total.bytes += segment.length;
    total.sum.add(segment.sum);
    return placed;
}

void VolumeWriter::commit() { object_->commit(); }

RowSum VolumeWriter::rows() const noexcept {
    RowSum all;
    for (const Total& total : totals_)
        all.add(total.sum);
    return all;
}

void VolumeWriter::write_totals() {
    uint64_t sections = 0;
    for (size_t i = 0; i < totals_.size(); ++i) {
        if (!totals_[i].announced) continue;
        ++sections;
        index_.add(IndexTotal{static_cast<uint32_t>(i), totals_[i].bytes, totals_[i].sum});
    }
    index_.add(IndexEnd{frames_, sections, plain_size_});
}

} // namespace bkhost
