// Random access to the bytes of one section: of the archive, only the frames are fetched that hold
// what is asked for.
#pragma once

#include "core/archive/frame_decoder.hpp"
#include "core/archive/index_reader.hpp"

#include <bkhost/extract.h>

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace bkhost {

/// Confined to one thread. Holds 64 bytes for each frame of the section, and decoded frames within
/// the memory that it is given, at least one; the least recently used one goes first.
class SectionReader {
public:
    /// Reads the index. The section is the archive's only one of phase DATA; throws UNSUPPORTED
    /// when there are several or it is not ordered, CORRUPT as IndexReader. The manifest must
    /// outlive it. `memory`: bytes of decoded frames, and of a packed one.
    SectionReader(const ArchiveAccess& access, const Manifest& manifest,
                  const DriverPtr& compressor, uint64_t memory);
    SectionReader(const SectionReader&) = delete;
    SectionReader& operator=(const SectionReader&) = delete;

    [[nodiscard]] uint64_t size() const noexcept { return size_; }
    /// Fills the buffer. Throws INVALID past the end, CORRUPT when a frame that is needed is
    /// damaged, CANCELLED.
    void read_at(uint64_t offset, std::span<uint8_t> buffer);
    /// The same as the table that a driver takes; valid as long as this.
    [[nodiscard]] const bk_random_source* source() const noexcept { return &source_; }
    /// Plain bytes of the frames that were fetched, those fetched again too.
    [[nodiscard]] uint64_t fetched() const noexcept { return fetched_; }

private:
    struct Part { ///< of the section, in one frame
        uint64_t section_offset, packed_offset;
        std::array<uint8_t, 16> checksum; ///< of the whole frame
        uint32_t packed_length, plain_length;
        uint32_t offset, length; ///< in the frame's plain bytes
        uint64_t number;         ///< of the frame
        uint32_t component, volume;
    };
    struct Cached {
        size_t part;
        std::vector<uint8_t> plain;
    };
    void take_index(const Manifest& manifest, const DriverPtr& compressor);
    void take_frame(const IndexFrame& frame, uint32_t section);
    [[nodiscard]] size_t part_at(uint64_t offset) const;
    [[nodiscard]] const std::vector<uint8_t>& plain(size_t part);
    void make_room(uint64_t bytes);
    void fetch(const Part& part, std::vector<uint8_t>& plain);

    const ArchiveAccess access_;
    const Manifest& manifest_;
    const uint64_t memory_;
    FrameDecoder decoder_;
    std::vector<Part> parts_; ///< by section_offset
    uint64_t size_ = 0, fetched_ = 0, held_ = 0;
    std::vector<uint8_t> packed_;
    std::list<Cached> cache_; ///< the last used one first
    std::unordered_map<size_t, std::list<Cached>::iterator> cached_;
    bk_random_source source_{};
};

} // namespace bkhost
