// Objects under keys, in the process: what both storages of this plugin stand on.
#pragma once

#include "content.hpp"

#include <bkhost/storage.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <optional>

namespace synthetic {

// Shared: a reader goes on with an object that was replaced or removed meanwhile.
using ContentPtr = std::shared_ptr<const Content>;

/// Thread-safe.
class Shelf {
public:
    Shelf() = default;
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;

    /// The shelf of that name, which lives as long as the process.
    static Shelf& named(const std::string& name);

    /// Room for `bytes` more; NO_SPACE when `limit` would be passed.
    void reserve(uint64_t bytes, uint64_t limit);
    void release(uint64_t bytes) noexcept;

    /// Puts the object there, and takes over the room that it reserved. EXISTS when the condition
    /// does not hold.
    bk_object store(const std::string& key, ContentPtr content, uint64_t reserved,
                    const bk_put_options& options);

    struct Object {
        ContentPtr content;
        bk_object info;
        uint64_t reserved;
    };
    [[nodiscard]] std::optional<Object> find(const std::string& key) const;
    using Found = std::function<void(const std::string&, const Object&)>;
    /// All whose key begins with `prefix`, in byte order; without the lock.
    void each(std::string_view prefix, const Found& found) const;
    void remove(const std::string& key);

private:
    mutable std::mutex mutex_;
    std::map<std::string, Object> objects_;
    uint64_t used_ = 0, version_ = 0;
};

} // namespace synthetic
