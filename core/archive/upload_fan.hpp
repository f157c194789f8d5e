// Sends the parts of objects to several storages at once, from one set of buffers.
//
// A part is read once and shared by the uploads to all storages; its buffer is free again when the
// last of them has acknowledged it, so a slow storage slows the run and never grows it. A storage
// that fails is dropped as long as enough others remain.
#pragma once

#include "core/base/log.hpp"
#include "core/driver/storage.hpp"
#include "core/pipeline/crew.hpp"
#include "core/pipeline/rate_limit.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

struct FreeAligned {
    void operator()(uint8_t* data) const noexcept;
};

/// Bytes of one part. `data` has the part size and is aligned to 4096, as disks want it; `size`
/// counts.
struct PartBuffer {
    std::unique_ptr<uint8_t[], FreeAligned> data;
    size_t capacity = 0, size = 0;
    [[nodiscard]] std::span<const uint8_t> bytes() const noexcept { return {data.get(), size}; }
};

/// One object under way to all storages. Opaque to everyone but the fan.
struct FanUpload;
using FanUploadPtr = std::shared_ptr<FanUpload>; // shared: writer and upload threads

/// Thread-safe; every wait ends with CANCELLED when the crew stops.
class UploadFan {
public:
    struct Target {
        Storage* storage = nullptr;
        bool dropped = false;
        std::string error; ///< why
    };
    struct Setup {
        size_t required = 1; ///< storages that must hold the archive in the end
        size_t part_size = 0;
        unsigned parts = 3;        ///< buffers in all
        RateLimit* rate = nullptr; ///< of what all storages together are sent; may be none
    };
    /// Starts its threads in the crew; close() ends them.
    UploadFan(Crew& crew, Log& log, const std::vector<Storage*>& storages, const Setup& setup);
    ~UploadFan();
    UploadFan(const UploadFan&) = delete;
    UploadFan& operator=(const UploadFan&) = delete;

    /// An empty buffer; blocks until one is free.
    [[nodiscard]] PartBuffer acquire();
    void recycle(PartBuffer buffer);

    [[nodiscard]] FanUploadPtr begin(const std::string& key);
    /// Queues the next part; the buffer comes back to the fan by itself.
    void send(const FanUploadPtr& upload, PartBuffer buffer);
    /// Waits until every part is acknowledged.
    void flush(const FanUploadPtr& upload);
    /// Makes the object visible on every storage that is left, and compares what the storage
    /// then has with size, first and last bytes.
    struct Ends {
        uint64_t size = 0;
        std::span<const uint8_t> head, tail;
    };
    void commit(const FanUploadPtr& upload, const Ends& ends);
    /// A small object, whole, if absent.
    void put(const std::string& key, std::span<const uint8_t> data);
    /// No more parts come; the threads end.
    void close();

    [[nodiscard]] std::vector<Target> targets() const;

private:
    struct Task;
    struct Lane;
    void work(size_t target);
    void drop(size_t target, const std::exception& error);
    /// Runs `call` for each storage that is left; one that fails is dropped.
    template <class Call>
    void each(Call&& call);
    [[nodiscard]] bool alive(size_t target) const;

    const std::stop_token stop_;
    Log& log_;
    const Setup setup_;
    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<PartBuffer>
        free_; ///< before lanes_: a queued task gives its buffer back when it dies
    std::vector<Target> targets_;
    std::vector<Lane> lanes_; ///< one a target
    bool closed_ = false;
};

} // namespace bkhost
