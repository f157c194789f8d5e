#include "core/pipeline/frame_flow.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {

template <class Predicate>
void wait_on(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
             const std::stop_token& stop, Predicate ready) {
    if (!changed.wait(lock, stop, ready)) throw bk::Error(BK_E_CANCELLED, "cancelled");
}

} // namespace

FrameFlow::FrameFlow(unsigned frames, size_t capacity, std::stop_token stop)
    : stop_(std::move(stop)) {
    for (unsigned i = 0; i < frames; ++i) {
        auto frame = std::make_unique<Frame>();
        frame->data = std::make_unique_for_overwrite<uint8_t[]>(capacity);
        frame->capacity = capacity;
        free_.push_back(std::move(frame));
    }
}

template <class Predicate>
void FrameFlow::wait(std::unique_lock<std::mutex>& lock, Predicate ready) {
    wait_on(changed_, lock, stop_, ready);
}

FramePtr FrameFlow::acquire() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return !free_.empty(); });
    FramePtr frame = std::move(free_.back());
    free_.pop_back();
    return frame;
}

void FrameFlow::recycle(FramePtr frame) {
    frame->size = 0;
    frame->more = false;
    frame->segments.clear();
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(frame));
    changed_.notify_all();
}

void FrameFlow::submit(uint32_t unit, FramePtr frame) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return !holder_ || *holder_ == unit; });
    frame->seq = next_seq_++;
    queue_.push_back(std::move(frame));
    changed_.notify_all();
}

void FrameFlow::hold(uint32_t unit) {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return !holder_ || *holder_ == unit; });
    holder_ = unit;
}

void FrameFlow::release(uint32_t unit) {
    const std::lock_guard lock(mutex_);
    if (holder_ == unit) holder_.reset();
    changed_.notify_all();
}

void FrameFlow::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

FramePtr FrameFlow::next() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return !queue_.empty() || closed_; });
    if (queue_.empty()) return nullptr;
    FramePtr frame = std::move(queue_.front());
    queue_.pop_front();
    return frame;
}

uint64_t FrameFlow::submitted() const {
    const std::lock_guard lock(mutex_);
    return next_seq_;
}

PackedFlow::PackedFlow(unsigned outputs, std::stop_token stop) : stop_(std::move(stop)) {
    for (unsigned i = 0; i < outputs; ++i)
        free_.push_back(std::make_unique<PackedFrame>());
}

template <class Predicate>
void PackedFlow::wait(std::unique_lock<std::mutex>& lock, Predicate ready) {
    wait_on(changed_, lock, stop_, ready);
}

PackedPtr PackedFlow::acquire() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return !free_.empty(); });
    PackedPtr packed = std::move(free_.back());
    free_.pop_back();
    return packed;
}

void PackedFlow::recycle(PackedPtr packed) {
    packed->segments.clear();
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(packed));
    changed_.notify_all();
}

void PackedFlow::put(PackedPtr packed) {
    const std::lock_guard lock(mutex_);
    const uint64_t seq = packed->seq;
    waiting_.emplace(seq, std::move(packed));
    changed_.notify_all();
}

void PackedFlow::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
}

PackedPtr PackedFlow::next() {
    std::unique_lock lock(mutex_);
    wait(lock, [&] { return waiting_.contains(next_seq_) || (closed_ && waiting_.empty()); });
    const auto found = waiting_.find(next_seq_);
    if (found == waiting_.end()) return nullptr;
    PackedPtr packed = std::move(found->second);
    waiting_.erase(found);
    ++next_seq_;
    return packed;
}

} // namespace bkhost
