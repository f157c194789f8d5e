// What travels through the pipeline: frames with plain bytes, and the same frames compressed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace bkhost {

/// A count of rows and their rowsum-1, which may be unknown.
struct RowSum {
    uint64_t rows = 0;
    uint64_t low = 0, high = 0;
    bool digest_known = true; ///< false: some rows came without a digest
    bool counted = true;      ///< false: how many rows there are is not known; no digest either

    void add(const RowSum& other) noexcept {
        rows += other.rows;
        const uint64_t sum = low + other.low;
        high += other.high + (sum < low ? 1 : 0);
        low = sum;
        digest_known = digest_known && other.digest_known;
        counted = counted && other.counted;
    }
};

/// The part of a frame that belongs to one section.
struct Segment {
    uint32_t section = 0;
    uint64_t offset = 0, length = 0; ///< bytes within the frame
    bool continued = false;          ///< begins inside a fragment that the frame before began
    RowSum sum;
};

/// Plain bytes of one phase and step. Owned by one stage at a time.
struct Frame {
    std::unique_ptr<uint8_t[]> data;
    size_t capacity = 0, size = 0;
    uint64_t seq = 0; ///< set on submit: its place in the component
    uint32_t phase = 0, step = 0;
    bool more = false; ///< its last fragment goes on in the next frame
    std::vector<Segment> segments;
};
using FramePtr = std::unique_ptr<Frame>;

/// A frame as the codec left it, and what the index wants to know of the plain one.
struct PackedFrame {
    std::vector<uint8_t> data; ///< kept at its largest size; `size` counts
    size_t size = 0, plain_size = 0;
    uint64_t seq = 0;
    bool more = false;
    std::string checksum; ///< XXH3-128 of the plain bytes
    std::vector<Segment> segments;
};
using PackedPtr = std::unique_ptr<PackedFrame>;

} // namespace bkhost
