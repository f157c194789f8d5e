// A storage driver that keeps its objects in memory: the smallest thing that does all that a
// storage has to do. Replace the map by your service. The contract of each call is in
// <bkhost/storage.h>.
#include <bkhost/storage.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

namespace {

using Data = std::vector<uint8_t>;

class MemoryReader : public bk::Reader {
public:
    explicit MemoryReader(Data data) : data_(std::move(data)) {}
    size_t read(std::span<uint8_t> buffer) override {
        const size_t n = std::min(buffer.size(), data_.size() - at_);
        std::copy_n(data_.begin() + static_cast<std::ptrdiff_t>(at_), n, buffer.begin());
        at_ += n;
        return n;
    }

private:
    Data data_;
    size_t at_ = 0;
};

class MemoryStorage : public bk::Storage {
public:
    /// No I/O here: a configuration can be checked without the service.
    MemoryStorage(bk::Host, bk::Config config)
        : limit_(static_cast<uint64_t>(config.number("limit"))) {}

    void props(bk_storage_props& props) noexcept override {
        props.capabilities = BK_CAP_ATOMIC_REPLACE | BK_CAP_PUT_IF_ABSENT | BK_CAP_RANGE_READ |
                             BK_CAP_LIST_AFTER_WRITE | BK_CAP_SEQUENTIAL;
        props.min_part_size = 1;
        props.max_part_size = limit_;
        props.max_parts = 0;
        props.parallel_parts = 1;
        props.max_object_size = limit_;
    }
    void probe(const char*) override {}

    bk_object put(std::string_view key, bk::Bytes data, const bk_put_options& options) override {
        const std::lock_guard lock(mutex_);
        const std::string name(key);
        if (options.condition == BK_PUT_IF_VERSION)
            throw bk::Error(BK_E_UNSUPPORTED, "memory: objects have no versions to compare");
        if (options.condition == BK_PUT_IF_ABSENT && objects_.contains(name))
            throw bk::Error(BK_E_EXISTS, "memory: object '" + name + "' exists");
        if (data.size() > limit_)
            throw bk::Error(BK_E_NO_SPACE, "memory: object '" + name + "' is larger than the limit",
                            "raise the option 'limit'");
        Stored& stored = objects_[name];
        stored.data.assign(data.begin(), data.end());
        stored.info = bk::empty_object();
        stored.info.size = data.size();
        stored.info.modified_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                      std::chrono::system_clock::now().time_since_epoch())
                                      .count();
        bk::set_version(stored.info, std::to_string(++version_));
        return stored.info;
    }
    std::unique_ptr<bk::Upload> upload(std::string_view key, const bk_put_options& o) override;

    std::unique_ptr<bk::Reader> read(std::string_view key, uint64_t offset, uint64_t len,
                                     const char* if_version) override {
        const std::lock_guard lock(mutex_);
        const auto found = objects_.find(key);
        if (found == objects_.end())
            throw bk::Error(BK_E_NOT_FOUND, "memory: no object '" + std::string(key) + "'");
        const auto& [data, info] = found->second;
        if (if_version != nullptr && std::string_view(if_version) != info.version)
            throw bk::Error(BK_E_CORRUPT, "memory: object '" + std::string(key) + "' was replaced");
        if (offset > data.size())
            throw bk::Error(BK_E_INVALID,
                            "memory: offset past the end of '" + std::string(key) + "'");
        const auto first = data.begin() + static_cast<std::ptrdiff_t>(offset);
        const uint64_t n = std::min<uint64_t>(len, data.size() - offset);
        return std::make_unique<MemoryReader>(Data(first, first + static_cast<std::ptrdiff_t>(n)));
    }
    std::optional<bk_object> stat(std::string_view key) override {
        const std::lock_guard lock(mutex_);
        const auto found = objects_.find(key);
        if (found == objects_.end()) return std::nullopt;
        return found->second.info;
    }
    void list(std::string_view prefix, const char* start_after, const char* delimiter,
              const Found& found) override {
        std::map<std::string, bk_object> entries; // a copy: `found` runs without the lock
        {
            const std::lock_guard lock(mutex_);
            for (const auto& [key, stored] : objects_) {
                if (!key.starts_with(prefix)) continue;
                const size_t end =
                    delimiter != nullptr ? key.find(delimiter, prefix.size()) : std::string::npos;
                if (end == std::string::npos)
                    entries[key] = stored.info;
                else
                    entries[key.substr(0, end + std::string_view(delimiter).size())] = {};
            }
        }
        for (const auto& [key, info] : entries)
            if (start_after == nullptr || key > start_after) found(key.c_str(), info);
    }
    void remove(std::string_view key) override {
        const std::lock_guard lock(mutex_);
        if (const auto found = objects_.find(key); found != objects_.end()) objects_.erase(found);
    }

private:
    struct Stored {
        Data data;
        bk_object info;
    };
    const uint64_t limit_;
    std::mutex mutex_;
    uint64_t version_ = 0;
    std::map<std::string, Stored, std::less<>> objects_;
};

/// SEQUENTIAL: parts come in order, one at a time. Nothing is visible before commit.
class MemoryUpload : public bk::Upload {
public:
    MemoryUpload(MemoryStorage& storage, std::string_view key, uint32_t condition)
        : storage_(storage), key_(key) {
        options_.struct_size = sizeof options_;
        options_.condition = condition;
    }
    void part(bk_part&, bk::Bytes data) override {
        data_.insert(data_.end(), data.begin(), data.end());
    }
    bk_object commit(std::span<const bk_part>) override {
        return storage_.put(key_, data_, options_);
    }
    void abort() override { data_.clear(); }

private:
    MemoryStorage& storage_;
    std::string key_;
    bk_put_options options_{};
    Data data_;
};

std::unique_ptr<bk::Upload> MemoryStorage::upload(std::string_view key, const bk_put_options& o) {
    return std::make_unique<MemoryUpload>(*this, key, o.condition);
}

constexpr bk_option kOptions[] = {
    bk::option("limit", BK_OPT_SIZE, "largest object", "64MiB", "1..1GiB"),
};
constexpr bk_component kMemory = bk::storage_component<MemoryStorage>(
    {.name = "memory", .summary = "objects in memory, gone at exit", .options = kOptions});

} // namespace

BK_MODULE("org.example.memory", "0.1.0", "objects in memory", "storage:memory:\n", &kMemory)
