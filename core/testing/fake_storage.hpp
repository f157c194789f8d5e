// The storage driver `memory`: objects in a map that the test can look into, spoil and watch. For
// tests only.
#pragma once

#include <bkhost/storage.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bkhost::test {

enum class Call { probe, put, upload, part, commit, abort, open, read, stat, list, remove };
inline constexpr size_t kCalls = 11;

/// A place where calls stop until the test lets them go on. Thread-safe.
class Gate {
public:
    /// Blocks here while the gate is shut; false when `interrupted` was set meanwhile.
    bool pass(const std::atomic<bool>& interrupted) {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_ || interrupted.load(); });
        --waiting_;
        return open_;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wake() {
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
    }
    /// Until `count` calls stand at the gate.
    void wait_reached(unsigned count = 1) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_ >= count; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
    unsigned waiting_ = 0;
};

/// What one `memory` storage holds and how it misbehaves; shared by all instances with its name.
/// Thread-safe. Switches are set before the run that they are meant for.
class MemoryStore {
public:
    using Data = std::vector<uint8_t>;
    struct Fault {
        Call call = Call::probe;
        unsigned nth = 1; ///< which of the calls from now on that `key` fits
        bk_status status = BK_E_UNAVAILABLE;
        bool lasting = false; ///< all later ones too
        std::string key = {}; ///< part of the key; "" fits all
        uint32_t flags = 0;   ///< BK_ERR_*
    };

    // ---- what it holds
    [[nodiscard]] std::vector<std::string> keys() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> all;
        for (const auto& [key, object] : objects_)
            all.push_back(key);
        return all;
    }
    /// The object's bytes; throws NOT_FOUND.
    [[nodiscard]] Data object(const std::string& key) const {
        const std::lock_guard lock(mutex_);
        return find(key).data;
    }
    void set_object(const std::string& key, Data data) {
        const std::lock_guard lock(mutex_);
        objects_.insert_or_assign(key, Object{std::move(data), ++version_});
    }
    void erase(const std::string& key) {
        const std::lock_guard lock(mutex_);
        objects_.erase(key);
    }
    /// Changes one bit without a new version, as a failing disk does.
    void flip_bit(const std::string& key, size_t byte, unsigned bit = 0) {
        const std::lock_guard lock(mutex_);
        objects_.at(key).data.at(byte) ^= static_cast<uint8_t>(1u << bit);
    }
    [[nodiscard]] size_t open_uploads() const {
        const std::lock_guard lock(mutex_);
        return uploads_.size();
    }
    /// An upload that a dead process left behind.
    void add_stale_upload(const std::string& key) {
        const std::lock_guard lock(mutex_);
        uploads_.emplace(++version_, key);
    }

    // ---- how it misbehaves
    void fail(Fault fault) {
        const std::lock_guard lock(mutex_);
        faults_.push_back(std::move(fault));
    }
    /// Calls of the kind from the n-th on stop at the gate; `key` as in a fault.
    std::shared_ptr<Gate> block(Call call, unsigned nth = 1, std::string key = {}) {
        const std::lock_guard lock(mutex_);
        Block& block = blocks_.emplace_back();
        block.where = {call, nth, BK_OK, true, std::move(key)};
        block.gate = std::make_shared<Gate>();
        return block.gate;
    }
    void clear_faults() {
        const std::lock_guard lock(mutex_);
        faults_.clear();
        blocks_.clear();
        truncate_ = 0;
        flip_.reset();
    }
    /// Every commit loses the last bytes and says nothing.
    void truncate_on_commit(size_t bytes) {
        const std::lock_guard lock(mutex_);
        truncate_ = bytes;
    }
    /// Reading gives a flipped bit at this offset of every object whose key holds `key`.
    void flip_on_read(const std::string& key, uint64_t offset) {
        const std::lock_guard lock(mutex_);
        flip_ = {key, offset};
    }
    /// Called in the thread of each call before it does anything; may block or throw.
    using Hook = std::function<void(Call, const std::string& key, uint32_t part)>;
    void on_call(Hook hook) {
        const std::lock_guard lock(mutex_);
        hook_ = std::move(hook);
    }

    // ---- what it says of itself
    std::atomic<bool> sequential{false};
    std::atomic<uint32_t> parallel_parts{4}, max_parts{0};
    std::atomic<uint64_t> min_part_size{0};
    std::atomic<uint64_t> read_limit{UINT64_MAX}; ///< bytes that one read gives at most

    // ---- what was asked of it
    [[nodiscard]] uint64_t calls(Call call) const {
        const std::lock_guard lock(mutex_);
        return counts_[static_cast<size_t>(call)];
    }
    [[nodiscard]] uint64_t bytes_read() const {
        const std::lock_guard lock(mutex_);
        return bytes_read_;
    }
    void reset_counts() {
        const std::lock_guard lock(mutex_);
        counts_ = {};
        bytes_read_ = 0;
    }

private:
    friend class MemoryStorage;
    friend class MemoryUpload;
    friend class MemoryReader;
    struct Object {
        Data data;
        uint64_t version = 0;
    };
    struct Block {
        Fault where;
        std::shared_ptr<Gate> gate; // shared: the test opens it, the calls wait at it
    };
    struct Flip {
        std::string key;
        uint64_t offset = 0;
    };

    [[nodiscard]] const Object& find(const std::string& key) const {
        const auto found = objects_.find(key);
        if (found == objects_.end()) throw bk::Error(BK_E_NOT_FOUND, "no object '" + key + "'");
        return found->second;
    }
    static bool due(Fault& fault, Call call, const std::string& key) {
        if (fault.call != call || key.find(fault.key) == std::string::npos) return false;
        if (fault.nth > 1) {
            --fault.nth;
            return false;
        }
        if (fault.nth == 0) return false;
        if (!fault.lasting) fault.nth = 0;
        return true;
    }
    /// Counts the call and lets it fail or block as the test said.
    void enter(Call call, const std::string& key, uint32_t part,
               const std::atomic<bool>& interrupted) {
        Hook hook;
        std::shared_ptr<Gate> gate;
        {
            const std::lock_guard lock(mutex_);
            ++counts_[static_cast<size_t>(call)];
            for (Fault& fault : faults_) {
                if (!due(fault, call, key)) continue;
                bk::Error error(fault.status, "made to fail");
                error.flags = fault.flags;
                throw error;
            }
            for (Block& block : blocks_)
                if (due(block.where, call, key)) gate = block.gate;
            hook = hook_;
        }
        if (gate && !gate->pass(interrupted)) throw bk::Error(BK_E_CANCELLED, "interrupted");
        if (hook) hook(call, key, part);
    }
    void wake_all() {
        const std::lock_guard lock(mutex_);
        for (Block& block : blocks_)
            block.gate->wake();
    }

    mutable std::mutex mutex_;
    std::map<std::string, Object> objects_;
    std::map<uint64_t, std::string> uploads_; ///< under way or stale: id, key
    uint64_t version_ = 0;
    std::vector<Fault> faults_;
    std::vector<Block> blocks_;
    size_t truncate_ = 0;
    std::optional<Flip> flip_;
    Hook hook_;
    std::array<uint64_t, kCalls> counts_{};
    uint64_t bytes_read_ = 0;
};

/// The state that drivers and test share, by name; made when it is first asked for. Thread-safe.
template <class State>
class SharedStates {
public:
    std::shared_ptr<State> get(const std::string& name) {
        const std::lock_guard lock(mutex_);
        std::shared_ptr<State>& state = states_[name]; // shared: instances may outlive the registry
        if (!state) state = std::make_shared<State>();
        return state;
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        states_.clear();
    }
    static SharedStates& global() {
        static SharedStates
            states; // drivers get nothing but their options, so there is no other way
        return states;
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::shared_ptr<State>> states_;
};

inline std::shared_ptr<MemoryStore> memory_store(const std::string& name) {
    return SharedStates<MemoryStore>::global().get(name);
}

class MemoryReader final : public bk::Reader {
public:
    MemoryReader(MemoryStore& store, const std::atomic<bool>& interrupted, std::string key,
                 MemoryStore::Data data)
        : store_(store), interrupted_(interrupted), key_(std::move(key)), data_(std::move(data)) {}
    size_t read(std::span<uint8_t> buffer) override {
        store_.enter(Call::read, key_, 0, interrupted_);
        const size_t n = static_cast<size_t>(
            std::min<uint64_t>({buffer.size(), data_.size() - pos_, store_.read_limit.load()}));
        std::copy_n(data_.begin() + static_cast<ptrdiff_t>(pos_), n, buffer.begin());
        pos_ += n;
        const std::lock_guard lock(store_.mutex_);
        store_.bytes_read_ += n;
        return n;
    }

private:
    MemoryStore& store_;
    const std::atomic<bool>& interrupted_;
    std::string key_;
    MemoryStore::Data data_;
    size_t pos_ = 0;
};

class MemoryUpload final : public bk::Upload {
public:
    MemoryUpload(MemoryStore& store, const std::atomic<bool>& interrupted, std::string key)
        : store_(store), interrupted_(interrupted), key_(std::move(key)) {
        const std::lock_guard lock(store_.mutex_);
        id_ = ++store_.version_;
        store_.uploads_.emplace(id_, key_);
    }
    ~MemoryUpload() override { forget(); }

    void part(bk_part& part, bk::Bytes data) override {
        const Running running(running_);
        if (store_.sequential && (!running.alone || part.number != next_))
            throw bk::Error(BK_E_INVALID, "a part out of order for a sequential storage");
        store_.enter(Call::part, key_, part.number, interrupted_);
        const std::string token = "token-" + std::to_string(part.number);
        bk::internal::copy_text(part.token, sizeof part.token, token);
        const std::lock_guard lock(store_.mutex_);
        parts_[part.number] = {part.offset, MemoryStore::Data(data.begin(), data.end())};
        next_ = part.number + 1;
    }
    bk_object commit(std::span<const bk_part> parts) override {
        store_.enter(Call::commit, key_, 0, interrupted_);
        const std::lock_guard lock(store_.mutex_);
        if (parts.size() != parts_.size())
            throw bk::Error(BK_E_INVALID, "commit with another number of parts than were sent");
        MemoryStore::Data data;
        uint32_t number = 0;
        for (const bk_part& part : parts) {
            const auto found = parts_.find(++number);
            if (part.number != number || found == parts_.end() ||
                part.token != "token-" + std::to_string(number) ||
                found->second.first != data.size() || part.size != found->second.second.size())
                throw bk::Error(BK_E_INVALID, "commit with wrong parts");
            data.insert(data.end(), found->second.second.begin(), found->second.second.end());
        }
        data.resize(data.size() - std::min(data.size(), store_.truncate_));
        bk_object object = bk::empty_object();
        object.size = data.size();
        store_.objects_.insert_or_assign(key_,
                                         MemoryStore::Object{std::move(data), ++store_.version_});
        bk::set_version(object, std::to_string(store_.version_));
        store_.uploads_.erase(id_);
        return object;
    }
    void abort() override {
        store_.enter(Call::abort, key_, 0, interrupted_);
        forget();
    }

private:
    /// Counts the part() calls under way.
    struct Running {
        explicit Running(std::atomic<int>& counted) : count(counted), alone(count++ == 0) {}
        ~Running() { --count; }
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;
        std::atomic<int>& count;
        const bool alone;
    };
    void forget() {
        const std::lock_guard lock(store_.mutex_);
        store_.uploads_.erase(id_);
    }

    MemoryStore& store_;
    const std::atomic<bool>& interrupted_;
    std::string key_;
    uint64_t id_ = 0;
    std::map<uint32_t, std::pair<uint64_t, MemoryStore::Data>> parts_; ///< offset and bytes
    std::atomic<int> running_{0};
    std::atomic<uint32_t> next_{1};
};

/// The driver. Option `name`: which store.
class MemoryStorage final : public bk::Storage {
public:
    static constexpr bk_option kOptions[] = {
        bk::option("name", BK_OPT_STRING, "which of the test's stores", "store", nullptr,
                   BK_OPT_URL_TARGET),
        bk::option("password", BK_OPT_SECRET, "taken and forgotten"),
    };
    MemoryStorage(bk::Host, bk::Config config)
        : store_holder_(memory_store(config.text("name"))), store_(*store_holder_) {}

    void props(bk_storage_props& props) noexcept override {
        props.capabilities = BK_CAP_ATOMIC_REPLACE | BK_CAP_PUT_IF_ABSENT | BK_CAP_RANGE_READ |
                             BK_CAP_LIST_AFTER_WRITE |
                             (store_.sequential ? uint32_t{BK_CAP_SEQUENTIAL} : 0u);
        props.min_part_size = store_.min_part_size;
        props.max_part_size = uint64_t{5} << 30;
        props.max_parts = store_.max_parts;
        props.parallel_parts = store_.parallel_parts;
        props.max_object_size = 0;
    }
    void interrupt() noexcept override {
        interrupted_ = true;
        store_.wake_all();
    }
    void probe(const char*) override { enter(Call::probe, ""); }
    bk_object put(std::string_view key, bk::Bytes data, const bk_put_options& options) override {
        enter(Call::put, std::string(key));
        const std::lock_guard lock(store_.mutex_);
        if (options.condition == BK_PUT_IF_ABSENT && store_.objects_.contains(std::string(key)))
            throw bk::Error(BK_E_EXISTS, "object '" + std::string(key) + "' exists");
        MemoryStore::Data kept(data.begin(), data.end());
        kept.resize(kept.size() - std::min(kept.size(), store_.truncate_));
        const auto at = store_.objects_.insert_or_assign(
            std::string(key), MemoryStore::Object{std::move(kept), ++store_.version_});
        return info(at.first->second);
    }
    std::unique_ptr<bk::Upload> upload(std::string_view key, const bk_put_options&) override {
        enter(Call::upload, std::string(key));
        return std::make_unique<MemoryUpload>(store_, interrupted_, std::string(key));
    }
    std::unique_ptr<bk::Reader> read(std::string_view key, uint64_t offset, uint64_t len,
                                     const char* if_version) override {
        enter(Call::open, std::string(key));
        const std::lock_guard lock(store_.mutex_);
        const MemoryStore::Object& object = store_.find(std::string(key));
        if (if_version != nullptr && std::to_string(object.version) != if_version)
            throw bk::Error(BK_E_CORRUPT, "object '" + std::string(key) + "' was replaced");
        if (offset > object.data.size())
            throw bk::Error(BK_E_INVALID, "a read past the end of '" + std::string(key) + "'");
        const uint64_t n = std::min<uint64_t>(len, object.data.size() - offset);
        const auto from = object.data.begin() + static_cast<ptrdiff_t>(offset);
        MemoryStore::Data data(from, from + static_cast<ptrdiff_t>(n));
        const auto& flip = store_.flip_;
        if (flip && key.find(flip->key) != std::string_view::npos && flip->offset >= offset &&
            flip->offset < offset + n)
            data[flip->offset - offset] ^= 0x10;
        return std::make_unique<MemoryReader>(store_, interrupted_, std::string(key),
                                              std::move(data));
    }
    std::optional<bk_object> stat(std::string_view key) override {
        enter(Call::stat, std::string(key));
        const std::lock_guard lock(store_.mutex_);
        const auto found = store_.objects_.find(std::string(key));
        if (found == store_.objects_.end()) return std::nullopt;
        return info(found->second);
    }
    void list(std::string_view prefix, const char* start_after, const char* delimiter,
              const Found& found) override {
        enter(Call::list, std::string(prefix));
        std::map<std::string, bk_object> hits; // a copy: `found` may call the storage
        {
            const std::lock_guard lock(store_.mutex_);
            for (const auto& [key, object] : store_.objects_) {
                if (!key.starts_with(prefix) || (start_after != nullptr && key <= start_after))
                    continue;
                const size_t cut =
                    delimiter == nullptr ? std::string::npos : key.find(delimiter, prefix.size());
                if (cut == std::string::npos)
                    hits.emplace(key, info(object));
                else
                    hits.emplace(key.substr(0, cut + 1), bk::empty_object());
            }
        }
        for (const auto& [key, object] : hits)
            found(key.c_str(), object);
    }
    void remove(std::string_view key) override {
        enter(Call::remove, std::string(key));
        store_.erase(std::string(key));
    }

    static const void* extension(const char* id) noexcept {
        static constexpr bk_storage_uploads uploads{
            sizeof(bk_storage_uploads), 0,
            [](void* self, const char* prefix, int64_t, uint64_t* count,
               bk_error* error) noexcept -> bk_status {
                return bk::guard(error, [&] {
                    auto& storage = static_cast<MemoryStorage&>(*static_cast<bk::Storage*>(self));
                    const std::lock_guard lock(storage.store_.mutex_);
                    *count = std::erase_if(storage.store_.uploads_, [&](const auto& upload) {
                        return upload.second.starts_with(prefix);
                    });
                    return BK_OK;
                });
            }};
        return std::string_view(id) == BK_STORAGE_UPLOADS_ID ? &uploads : nullptr;
    }

private:
    static bk_object info(const MemoryStore::Object& object) {
        bk_object info = bk::empty_object();
        info.size = object.data.size();
        bk::set_version(info, std::to_string(object.version));
        return info;
    }
    void enter(Call call, const std::string& key) { store_.enter(call, key, 0, interrupted_); }

    std::shared_ptr<MemoryStore> store_holder_;
    MemoryStore& store_;
    std::atomic<bool> interrupted_{false};
};

} // namespace bkhost::test
