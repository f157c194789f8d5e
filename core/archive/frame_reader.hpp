// Reads frames of one component back: fetched and decrypted ahead, decompressed in parallel, handed
// out in the order of the volume.
#pragma once

#include "core/archive/index_reader.hpp"
#include "core/pipeline/crew.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace bkhost {

class FrameDecoder;

/// A frame's plain bytes, checked against its checksum. Give it back with FrameReader::recycle.
struct ReadFrame {
    IndexFrame index;
    std::unique_ptr<uint8_t[]> data;
    size_t capacity = 0;
    [[nodiscard]] std::span<const uint8_t> bytes() const noexcept {
        return {data.get(), index.plain_length};
    }
};
using ReadFramePtr = std::unique_ptr<ReadFrame>;

/// next() and recycle() belong to one thread; section() is thread-safe. Every wait ends with
/// CANCELLED when the crew stops.
class FrameReader {
public:
    struct Setup {
        unsigned workers = 1; ///< decompressors at once
        uint64_t memory = 0;  ///< bytes of frames, packed and plain, at once
        /// Which frames to read; empty: all. Called in the order of the index.
        std::function<bool(const IndexFrame&)> wanted = {};
    };
    /// Starts its threads in the crew. The manifest must outlive it.
    FrameReader(Crew& crew, const ArchiveAccess& access, const Manifest& manifest,
                DriverPtr compressor, Setup setup);
    ~FrameReader();
    FrameReader(const FrameReader&) = delete;
    FrameReader& operator=(const FrameReader&) = delete;

    /// Nothing after the last frame.
    [[nodiscard]] ReadFramePtr next();
    void recycle(ReadFramePtr frame);
    /// Of a segment in a frame that next() gave. Throws CORRUPT when the index does not have it.
    [[nodiscard]] SectionInfo section(uint32_t number) const;

private:
    struct Task;
    using TaskPtr = std::unique_ptr<Task>;
    void fetch();
    void take_record(const IndexRecord& record);
    void read_range(const std::vector<IndexFrame>& frames);
    void read_frame(ObjectReader& reader, const IndexFrame& frame);
    void decompress();
    void unpack(Task& task, FrameDecoder& decoder) const;
    template <class Predicate>
    void wait(std::unique_lock<std::mutex>& lock, Predicate ready);

    const ArchiveAccess access_;
    const Manifest& manifest_;
    const DriverPtr compressor_;
    const Setup setup_;
    const uint64_t ahead_; ///< frames fetched before their turn: what keeps all workers busy
    const std::stop_token stop_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<TaskPtr> queue_;             ///< fetched, to be decompressed
    std::map<uint64_t, ReadFramePtr> done_; ///< by sequence
    std::vector<ReadFramePtr> free_;
    std::vector<std::vector<uint8_t>> free_packed_; ///< memory that was mapped in already
    std::map<uint32_t, SectionInfo> sections_;
    uint64_t in_use_ = 0; ///< bytes
    uint64_t fetched_ = 0, handed_ = 0;
    bool fetch_ended_ = false;
};

} // namespace bkhost
