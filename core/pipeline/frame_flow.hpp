// Where frames wait: from the units to the compressors, and from those to the one writer, in order.
//
// Deadlock-free with units + 1 frames: a unit owns at most one frame, and only the holder of the
// volume may own two. Frames enter the queue in the order of their numbers, compressors take them
// in that order and have their output buffer in hand before they do, so the frame that the writer
// waits for is always in work.
#pragma once

#include "core/pipeline/frame.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace bkhost {

/// Units submit, compressors take. Thread-safe; every wait ends with CANCELLED when the token
/// stops.
class FrameFlow {
public:
    FrameFlow(unsigned frames, size_t capacity, std::stop_token stop);

    /// An empty frame; blocks until one is free.
    [[nodiscard]] FramePtr acquire();
    void recycle(FramePtr frame);

    /// Numbers the frame and hands it to the compressors; blocks while another unit holds the
    /// volume.
    void submit(uint32_t unit, FramePtr frame);
    /// From now on only this unit's frames enter the volume; blocks while another one holds it. A
    /// second call of the same unit does nothing.
    void hold(uint32_t unit);
    void release(uint32_t unit);

    /// No more frames come.
    void close();
    /// The next frame; nothing when closed and empty.
    [[nodiscard]] FramePtr next();
    [[nodiscard]] uint64_t submitted() const;

private:
    template <class Predicate>
    void wait(std::unique_lock<std::mutex>& lock, Predicate ready);

    const std::stop_token stop_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<FramePtr> free_;
    std::deque<FramePtr> queue_;
    std::optional<uint32_t> holder_;
    uint64_t next_seq_ = 0;
    bool closed_ = false;
};

/// Compressors put, the writer takes in order. Thread-safe; waits as above.
class PackedFlow {
public:
    PackedFlow(unsigned outputs, std::stop_token stop);

    /// An output buffer; a compressor takes one before it takes a frame.
    [[nodiscard]] PackedPtr acquire();
    void recycle(PackedPtr packed);
    void put(PackedPtr packed);
    void close();
    /// The frame with the next number; nothing when closed and all are written.
    [[nodiscard]] PackedPtr next();

private:
    template <class Predicate>
    void wait(std::unique_lock<std::mutex>& lock, Predicate ready);

    const std::stop_token stop_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<PackedPtr> free_;
    std::map<uint64_t, PackedPtr> waiting_;
    uint64_t next_seq_ = 0;
    bool closed_ = false;
};

} // namespace bkhost
