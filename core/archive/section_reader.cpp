#include "core/archive/section_reader.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstring>

namespace bkhost {

SectionReader::SectionReader(const ArchiveAccess& access, const Manifest& manifest,
                             const DriverPtr& compressor, uint64_t memory)
    : access_(access), manifest_(manifest), memory_(memory), decoder_(compressor, access.services) {
    take_index(manifest, compressor);
    source_.struct_size = sizeof source_;
    source_.ctx = this;
    source_.size = size_;
    source_.read_at = [](const bk_random_source* self, uint64_t offset, void* buffer, size_t len,
                         bk_error* error) noexcept -> bk_status {
        return bk::guard(error, [&]() -> bk_status {
            static_cast<SectionReader*>(self->ctx)->read_at(offset,
                                                            {static_cast<uint8_t*>(buffer), len});
            return BK_OK;
        });
    };
}

void SectionReader::take_index(const Manifest& manifest, const DriverPtr& compressor) {
    IndexReader index(access_, manifest, compressor);
    std::optional<SectionInfo> section;
    while (std::optional<IndexRecord> record = index.next()) {
        if (const auto* info = std::get_if<SectionInfo>(&*record)) {
            if (info->phase != BK_PHASE_DATA) continue;
            if (section || !info->ordered)
                throw bk::Error(BK_E_UNSUPPORTED,
                                "backup '" + manifest.id +
                                    "' is not one ordered section, so nothing can be taken out",
                                "restore all of it");
            section = *info;
        } else if (const auto* frame = std::get_if<IndexFrame>(&*record); frame && section) {
            take_frame(*frame, section->number);
        }
    }
}

void SectionReader::take_frame(const IndexFrame& frame, uint32_t section) {
    (void)volume_of(manifest_, frame); // checks it: the lengths fit into 32 bits
    for (const IndexSegment& segment : frame.segments) {
        if (segment.section != section || segment.length == 0) continue;
        Part part{.section_offset = segment.section_offset,
                  .packed_offset = frame.packed_offset,
                  .checksum = {},
                  .packed_length = static_cast<uint32_t>(frame.packed_length),
                  .plain_length = static_cast<uint32_t>(frame.plain_length),
                  .offset = static_cast<uint32_t>(segment.offset),
                  .length = static_cast<uint32_t>(segment.length),
                  .number = frame.number,
                  .component = frame.component,
                  .volume = frame.volume};
        const std::optional<std::vector<uint8_t>> sum = from_hex(frame.checksum);
        if (!sum || sum->size() != part.checksum.size() || segment.length > frame.plain_length ||
            segment.offset > frame.plain_length - segment.length)
            throw bk::Error(BK_E_CORRUPT, "frame " + std::to_string(frame.number) +
                                              " is described wrongly in the index");
        std::ranges::copy(*sum, part.checksum.begin());
        parts_.push_back(part);
        size_ = segment.section_offset + segment.length;
    }
}

size_t SectionReader::part_at(uint64_t offset) const {
    const auto after = std::ranges::upper_bound(parts_, offset, {}, &Part::section_offset);
    return static_cast<size_t>(after - parts_.begin()) - 1;
}

void SectionReader::read_at(uint64_t offset, std::span<uint8_t> buffer) {
    if (offset > size_ || buffer.size() > size_ - offset)
        throw bk::Error(BK_E_INVALID, "a read past the end of the section");
    while (!buffer.empty()) {
        const size_t at = part_at(offset);
        const Part& part = parts_[at];
        const uint64_t skip = offset - part.section_offset;
        const size_t n = std::min<uint64_t>(buffer.size(), part.length - skip);
        std::memcpy(buffer.data(), plain(at).data() + part.offset + skip, n);
        buffer = buffer.subspan(n);
        offset += n;
    }
}

const std::vector<uint8_t>& SectionReader::plain(size_t part) {
    if (!cache_.empty() && cache_.front().part == part) return cache_.front().plain;
    if (const auto found = cached_.find(part); found != cached_.end()) {
        cache_.splice(cache_.begin(), cache_, found->second);
        return cache_.front().plain;
    }
    const Part& wanted = parts_[part];
    make_room(uint64_t{wanted.plain_length} + wanted.packed_length);
    std::vector<uint8_t> bytes(wanted.plain_length);
    fetch(wanted, bytes);
    held_ += bytes.size();
    fetched_ += bytes.size();
    access_.observer.add_plain(bytes.size());
    cache_.push_front({part, std::move(bytes)});
    cached_.emplace(part, cache_.begin());
    return cache_.front().plain;
}

void SectionReader::make_room(uint64_t bytes) {
    while (!cache_.empty() && held_ + bytes > memory_) {
        held_ -= cache_.back().plain.size();
        cached_.erase(cache_.back().part);
        cache_.pop_back();
    }
}

void SectionReader::fetch(const Part& part, std::vector<uint8_t>& plain) {
    if (access_.services.stop().stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
    const ObjectRecord& object = manifest_.components[part.component].volumes[part.volume];
    ObjectReader reader(access_, object, part.packed_offset,
                        part.packed_offset + part.packed_length);
    packed_.resize(part.packed_length);
    if (reader.read(packed_) != packed_.size())
        throw bk::Error(BK_E_CORRUPT, "frame " + std::to_string(part.number) + " ends too early");
    reader.check_end();
    decoder_.decode(packed_, plain, to_hex(part.checksum), part.number,
                    "storage '" + access_.storage.name() + "', object '" + access_.folder +
                        object.key + "'");
}

} // namespace bkhost
