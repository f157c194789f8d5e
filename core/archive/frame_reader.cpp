#include "core/archive/frame_reader.hpp"

#include "core/archive/frame_decoder.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {
constexpr size_t kRangeFrames = 256; // looked ahead to join neighbours into a range
} // namespace

struct FrameReader::Task {
    uint64_t seq = 0;
    std::vector<uint8_t> packed;
    ReadFramePtr frame;
};

FrameReader::FrameReader(Crew& crew, const ArchiveAccess& access, const Manifest& manifest,
                         DriverPtr compressor, Setup setup)
    : access_(access), manifest_(manifest), compressor_(std::move(compressor)),
      setup_(std::move(setup)), ahead_(2 * std::max(1u, setup_.workers) + 2), stop_(crew.token()) {
    crew.start([this] { fetch(); });
    for (unsigned i = 0; i < std::max(1u, setup_.workers); ++i)
        crew.start([this] { decompress(); });
}

FrameReader::~FrameReader() = default;

template <class Predicate>
void FrameReader::wait(std::unique_lock<std::mutex>& lock, Predicate ready) {
    if (!changed_.wait(lock, stop_, ready)) throw bk::Error(BK_E_CANCELLED, "cancelled");
}

void FrameReader::take_record(const IndexRecord& record) {
    if (const auto* section = std::get_if<SectionInfo>(&record)) {
        const std::lock_guard lock(mutex_);
        sections_.insert_or_assign(section->number, *section);
    }
}

/// Wanted frames that lie side by side are read as one range. When all are wanted, a range is a
/// whole volume, so that the object is opened once.
void FrameReader::fetch() {
    IndexReader index(access_, manifest_, compressor_);
    std::vector<IndexFrame> range;
    std::unique_ptr<ObjectReader> whole;
    const auto ends_range = [&](const IndexFrame& next) {
        const IndexFrame& last = range.back();
        return range.size() >= kRangeFrames || last.component != next.component ||
               last.volume != next.volume ||
               last.packed_offset + last.packed_length != next.packed_offset;
    };
    std::optional<IndexFrame> last;
    while (std::optional<IndexRecord> record = index.next()) {
        take_record(*record);
        const auto* frame = std::get_if<IndexFrame>(&*record);
        if (frame == nullptr) continue;
        if (!setup_.wanted) {
            const ObjectRecord& object = volume_of(manifest_, *frame);
            if (!last || last->volume != frame->volume || last->component != frame->component) {
                if (whole) whole->check_end();
                whole = std::make_unique<ObjectReader>(access_, object, 0, object.packed_size);
                last.reset();
            }
            if (frame->packed_offset != (last ? last->packed_offset + last->packed_length : 0))
                throw bk::Error(BK_E_CORRUPT, "object '" + access_.folder + object.key +
                                                  "': the index leaves a gap before frame " +
                                                  std::to_string(frame->number));
            read_frame(*whole, *frame);
            last = *frame;
        } else if (setup_.wanted(*frame)) {
            if (!range.empty() && ends_range(*frame)) {
                read_range(range);
                range.clear();
            }
            (void)volume_of(manifest_, *frame); // checks it
            range.push_back(*frame);
        }
    }
    if (whole) whole->check_end();
    if (!range.empty()) read_range(range);
    const std::lock_guard lock(mutex_);
    fetch_ended_ = true;
    changed_.notify_all();
}

void FrameReader::read_range(const std::vector<IndexFrame>& frames) {
    ObjectReader reader(access_, volume_of(manifest_, frames.front()), frames.front().packed_offset,
                        frames.back().packed_offset + frames.back().packed_length);
    for (const IndexFrame& frame : frames)
        read_frame(reader, frame);
    reader.check_end();
}

void FrameReader::read_frame(ObjectReader& reader, const IndexFrame& frame) {
    const uint64_t need = frame.packed_length + frame.plain_length;
    auto task = std::make_unique<Task>();
    {
        std::unique_lock lock(mutex_);
        // A frame larger than the whole budget still goes through, alone.
        wait(lock, [&] {
            return in_use_ == 0 || (in_use_ + need <= setup_.memory && fetched_ - handed_ < ahead_);
        });
        in_use_ += need;
        if (!free_.empty()) {
            task->frame = std::move(free_.back());
            free_.pop_back();
        }
        if (!free_packed_.empty()) {
            task->packed = std::move(free_packed_.back());
            free_packed_.pop_back();
        }
    }
    if (!task->frame) task->frame = std::make_unique<ReadFrame>();
    task->frame->index = frame;
    task->packed.resize(frame.packed_length);
    if (reader.read(task->packed) != task->packed.size())
        throw bk::Error(BK_E_CORRUPT, "frame " + std::to_string(frame.number) + " ends too early");
    const std::lock_guard lock(mutex_);
    task->seq = fetched_++;
    queue_.push_back(std::move(task));
    changed_.notify_all();
}

void FrameReader::decompress() {
    FrameDecoder decoder(compressor_, access_.services);
    for (;;) {
        TaskPtr task;
        {
            std::unique_lock lock(mutex_);
            wait(lock, [&] { return !queue_.empty() || fetch_ended_; });
            if (queue_.empty()) return;
            task = std::move(queue_.front());
            queue_.pop_front();
        }
        unpack(*task, decoder);
        const std::lock_guard lock(mutex_);
        in_use_ -= task->packed.size();
        free_packed_.push_back(std::move(task->packed));
        done_.emplace(task->seq, std::move(task->frame));
        changed_.notify_all();
    }
}

void FrameReader::unpack(Task& task, FrameDecoder& decoder) const {
    ReadFrame& frame = *task.frame;
    const size_t size = frame.index.plain_length;
    if (frame.capacity < size) {
        frame.data = std::make_unique_for_overwrite<uint8_t[]>(size);
        frame.capacity = size;
    }
    decoder.decode(task.packed, {frame.data.get(), size}, frame.index.checksum, frame.index.number,
                   "storage '" + access_.storage.name() + "', object '" + access_.folder +
                       volume_of(manifest_, frame.index).key + "'");
}

ReadFramePtr FrameReader::next() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return done_.contains(handed_) || (fetch_ended_ && handed_ == fetched_); });
    const auto found = done_.find(handed_);
    if (found == done_.end()) return nullptr;
    ReadFramePtr frame = std::move(found->second);
    done_.erase(found);
    ++handed_;
    changed_.notify_all();
    return frame;
}

void FrameReader::recycle(ReadFramePtr frame) {
    const std::lock_guard lock(mutex_);
    in_use_ -= frame->index.plain_length;
    free_.push_back(std::move(frame));
    changed_.notify_all();
}

SectionInfo FrameReader::section(uint32_t number) const {
    const std::lock_guard lock(mutex_);
    const auto found = sections_.find(number);
    if (found == sections_.end())
        throw bk::Error(BK_E_CORRUPT, "the index does not have section " + std::to_string(number));
    return found->second;
}

} // namespace bkhost
