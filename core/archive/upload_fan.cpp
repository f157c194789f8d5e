#include "core/archive/upload_fan.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

namespace bkhost {

struct FanUpload {
    struct OneTarget {
        std::unique_ptr<StorageUpload> upload; ///< none once the storage was dropped
        std::vector<bk_part> parts;            ///< acknowledged; sorted before commit
        size_t pending = 0;
    };
    std::string key;
    uint64_t size = 0; ///< bytes sent so far
    uint32_t parts = 0;
    std::vector<OneTarget> targets;
};

/// Shared by the lanes; the last one gives the buffer back.
struct UploadFan::Task {
    FanUploadPtr upload;
    std::shared_ptr<PartBuffer> buffer; // shared: one reading of the part serves all storages
    uint32_t number = 0;
    uint64_t offset = 0;
};

struct UploadFan::Lane {
    std::deque<Task> queue;
};

namespace {

constexpr std::align_val_t kPartAlignment{4096};

PartBuffer make_part(size_t capacity) {
    PartBuffer part;
    part.data.reset(static_cast<uint8_t*>(::operator new(capacity, kPartAlignment)));
    part.capacity = capacity;
    return part;
}

} // namespace

void FreeAligned::operator()(uint8_t* data) const noexcept {
    ::operator delete(data, kPartAlignment);
}

UploadFan::UploadFan(Crew& crew, Log& log, const std::vector<Storage*>& storages,
                     const Setup& setup)
    : stop_(crew.token()), log_(log), setup_(setup), lanes_(storages.size()) {
    for (unsigned i = 0; i < setup.parts; ++i)
        free_.push_back(make_part(setup.part_size));
    for (Storage* storage : storages)
        targets_.push_back({storage, false, ""});
    for (size_t i = 0; i < storages.size(); ++i) {
        const bk_storage_props props = storages[i]->props();
        const bool sequential = (props.capabilities & BK_CAP_SEQUENTIAL) != 0;
        const unsigned threads =
            sequential ? 1 : std::clamp(props.parallel_parts, 1u, std::max(1u, setup.parts - 1));
        for (unsigned t = 0; t < threads; ++t)
            crew.start([this, i] { work(i); });
    }
}

UploadFan::~UploadFan() = default;

PartBuffer UploadFan::acquire() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop_, [&] { return !free_.empty(); }))
        throw bk::Error(BK_E_CANCELLED, "cancelled");
    PartBuffer buffer = std::move(free_.back());
    free_.pop_back();
    buffer.size = 0;
    return buffer;
}

void UploadFan::recycle(PartBuffer buffer) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(buffer));
    changed_.notify_all();
}

bool UploadFan::alive(size_t target) const {
    const std::lock_guard lock(mutex_);
    return !targets_[target].dropped;
}

void UploadFan::drop(size_t target, const std::exception& error) {
    const auto* failure = dynamic_cast<const bk::Error*>(&error);
    if (failure != nullptr && failure->cancelled()) throw *failure;
    size_t left = 0;
    std::string name;
    {
        const std::lock_guard lock(mutex_);
        targets_[target].dropped = true;
        targets_[target].error = error.what();
        name = targets_[target].storage->name();
        for (const Target& t : targets_)
            left += t.dropped ? 0 : 1;
        changed_.notify_all();
    }
    if (left < setup_.required) {
        if (failure != nullptr) throw *failure;
        throw bk::Error(BK_E_INTERNAL, error.what());
    }
    log_.warn("storage '" + name + "' is left out of this backup: " + error.what());
}

template <class Call>
void UploadFan::each(Call&& call) {
    for (size_t i = 0; i < lanes_.size(); ++i) {
        if (!alive(i)) continue;
        try {
            call(i, *targets_[i].storage);
        } catch (const std::exception& error) {
            drop(i, error);
        }
    }
}

FanUploadPtr UploadFan::begin(const std::string& key) {
    auto upload = std::make_shared<FanUpload>();
    upload->key = key;
    upload->targets.resize(lanes_.size());
    each([&](size_t i, Storage& storage) { upload->targets[i].upload = storage.upload(key); });
    return upload;
}

void UploadFan::send(const FanUploadPtr& upload, PartBuffer buffer) {
    const size_t size = buffer.size;
    const auto shared =
        std::shared_ptr<PartBuffer>(new PartBuffer(std::move(buffer)), [this](PartBuffer* last) {
            recycle(std::move(*last));
            delete last;
        });
    const std::lock_guard lock(mutex_);
    ++upload->parts;
    for (size_t i = 0; i < lanes_.size(); ++i) {
        if (targets_[i].dropped) continue;
        ++upload->targets[i].pending;
        lanes_[i].queue.push_back({upload, shared, upload->parts, upload->size});
    }
    upload->size += size;
    changed_.notify_all();
}

void UploadFan::work(size_t target) {
    for (;;) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            Lane& lane = lanes_[target];
            if (!changed_.wait(lock, stop_, [&] { return !lane.queue.empty() || closed_; }))
                throw bk::Error(BK_E_CANCELLED, "cancelled");
            if (lane.queue.empty()) return;
            task = std::move(lane.queue.front());
            lane.queue.pop_front();
        }
        FanUpload::OneTarget& to = task.upload->targets[target];
        bk_part part{};
        if (alive(target) && to.upload) {
            if (setup_.rate != nullptr) setup_.rate->take(task.buffer->size, stop_);
            try {
                part = to.upload->part(task.number, task.offset, task.buffer->bytes());
            } catch (const std::exception& error) {
                drop(target, error);
            }
        }
        const std::lock_guard lock(mutex_);
        if (part.number != 0) to.parts.push_back(part);
        --to.pending;
        changed_.notify_all();
    }
}

void UploadFan::flush(const FanUploadPtr& upload) {
    std::unique_lock lock(mutex_);
    const auto acknowledged = [&] {
        return std::ranges::all_of(upload->targets, [](const auto& t) { return t.pending == 0; });
    };
    if (!changed_.wait(lock, stop_, acknowledged)) throw bk::Error(BK_E_CANCELLED, "cancelled");
}

namespace {

void compare_range(Storage& storage, const std::string& key, uint64_t offset,
                   std::span<const uint8_t> expected, const std::string& version) {
    if (expected.empty()) return;
    const std::unique_ptr<StorageReader> reader =
        storage.read(key, offset, expected.size(), version);
    std::array<uint8_t, 16 * 1024> buffer;
    size_t done = 0;
    while (done < expected.size()) {
        const size_t got = reader->read(buffer);
        if (got == 0 || got > expected.size() - done ||
            std::memcmp(buffer.data(), expected.data() + done, got) != 0)
            throw bk::Error(BK_E_CORRUPT,
                            "storage '" + storage.name() + "', object '" + key +
                                "': what was read back differs from what was written",
                            "check the storage's disks and network; the backup was not completed");
        done += got;
    }
}

void read_back(Storage& storage, const std::string& key, const UploadFan::Ends& ends) {
    const std::optional<ObjectInfo> info = storage.stat(key);
    if (!info || info->size != ends.size)
        throw bk::Error(BK_E_CORRUPT,
                        "storage '" + storage.name() + "', object '" + key + "': has " +
                            (info ? std::to_string(info->size) : "no") +
                            " bytes after the upload of " + std::to_string(ends.size),
                        "check the storage; the backup was not completed");
    compare_range(storage, key, 0, ends.head, info->version);
    compare_range(storage, key, ends.size - ends.tail.size(), ends.tail, info->version);
}

} // namespace

void UploadFan::commit(const FanUploadPtr& upload, const Ends& ends) {
    flush(upload);
    each([&](size_t i, Storage& storage) {
        FanUpload::OneTarget& to = upload->targets[i];
        if (!to.upload) return;
        std::ranges::sort(to.parts, {}, &bk_part::number);
        to.upload->commit(to.parts);
        to.upload.reset();
        to.parts = {};
        read_back(storage, upload->key, ends);
    });
}

void UploadFan::put(const std::string& key, std::span<const uint8_t> data) {
    each([&](size_t, Storage& storage) {
        storage.put(key, data, true);
        read_back(storage, key, {data.size(), data, {}});
    });
}

void UploadFan::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

std::vector<UploadFan::Target> UploadFan::targets() const {
    const std::lock_guard lock(mutex_);
    return targets_;
}

} // namespace bkhost
