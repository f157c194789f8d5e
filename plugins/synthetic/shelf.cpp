#include "shelf.hpp"

#include <chrono>

namespace synthetic {
namespace {

int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace

Shelf& Shelf::named(const std::string& name) {
    static std::mutex mutex; // the objects belong to the process, not to an instance
    static std::map<std::string, Shelf> shelves;
    const std::lock_guard lock(mutex);
    return shelves[name];
}

void Shelf::reserve(uint64_t bytes, uint64_t limit) {
    const std::lock_guard lock(mutex_);
    if (bytes > limit || used_ > limit - bytes)
        throw bk::Error(BK_E_NO_SPACE,
                        "memory: " + std::to_string(used_) + " of " + std::to_string(limit) +
                            " bytes are used, " + std::to_string(bytes) + " more do not fit",
                        "raise the option 'max-size'");
    used_ += bytes;
}

void Shelf::release(uint64_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    used_ -= bytes;
}

bk_object Shelf::store(const std::string& key, ContentPtr content, uint64_t reserved,
                       const bk_put_options& options) {
    const std::lock_guard lock(mutex_);
    const auto old = objects_.find(key);
    const bool there = old != objects_.end();
    if (options.condition == BK_PUT_IF_ABSENT && there)
        throw bk::Error(BK_E_EXISTS, "object '" + key + "' exists");
    if (options.condition == BK_PUT_IF_VERSION &&
        (!there || options.if_version == nullptr ||
         std::string_view(options.if_version) != old->second.info.version))
        throw bk::Error(BK_E_EXISTS, "object '" + key + "' has another version");
    bk_object info = bk::empty_object();
    info.size = content->size();
    info.modified_ms = now_ms();
    bk::set_version(info, std::to_string(++version_));
    if (there) used_ -= old->second.reserved;
    objects_.insert_or_assign(key, Object{std::move(content), info, reserved});
    return info;
}

std::optional<Shelf::Object> Shelf::find(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

void Shelf::each(std::string_view prefix, const Found& found) const {
    std::map<std::string, Object> matching;
    {
        const std::lock_guard lock(mutex_);
        for (auto at = objects_.lower_bound(std::string(prefix));
             at != objects_.end() && at->first.starts_with(prefix); ++at)
            matching.insert(*at);
    }
    for (const auto& [key, object] : matching)
        found(key, object);
}

void Shelf::remove(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    used_ -= found->second.reserved;
    objects_.erase(found);
}

} // namespace synthetic
