// An opened storage: the calls of bkhost.storage as C++, with messages that name the storage.
#pragma once

#include "core/driver/services.hpp"

#include <bkhost/storage.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

class Storage;

struct ObjectInfo {
    uint64_t size = 0;
    int64_t modified_ms = 0;
    std::string version;
};

/// An upload; aborted by the destructor unless committed. part() is thread-safe where the
/// storage's properties say so, the rest is confined.
class StorageUpload {
public:
    StorageUpload(Storage& storage, std::string key, void* handle) noexcept;
    ~StorageUpload();
    StorageUpload(const StorageUpload&) = delete;
    StorageUpload& operator=(const StorageUpload&) = delete;

    /// Sends part `number` (from 1) and gives what commit wants to know of it.
    [[nodiscard]] bk_part part(uint32_t number, uint64_t offset, std::span<const uint8_t> data);
    ObjectInfo commit(const std::vector<bk_part>& parts);
    /// Leaves nothing; throws when that failed.
    void abort();

private:
    Storage& storage_;
    std::string key_;
    void* handle_;
    bool open_ = true;
};

/// Reads a range. Confined to one thread.
class StorageReader {
public:
    StorageReader(Storage& storage, std::string key, void* handle) noexcept;
    ~StorageReader();
    StorageReader(const StorageReader&) = delete;
    StorageReader& operator=(const StorageReader&) = delete;
    /// 1..buffer.size() bytes; 0 at the end.
    [[nodiscard]] size_t read(std::span<uint8_t> buffer);

private:
    Storage& storage_;
    std::string key_;
    void* handle_;
};

/// Thread-safe. Every failure is thrown, with "storage 'NAME'" in front.
class Storage {
public:
    Storage(std::string name, DriverPtr driver, const Services& services);
    ~Storage();
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] const DriverPtr& driver() const noexcept { return driver_; }
    [[nodiscard]] bk_storage_props props();
    void probe(const std::string& source_path);
    /// `if_absent`: throws EXISTS when the key is there.
    ObjectInfo put(const std::string& key, std::span<const uint8_t> data, bool if_absent);
    [[nodiscard]] std::unique_ptr<StorageUpload> upload(const std::string& key);
    [[nodiscard]] std::unique_ptr<StorageReader> read(const std::string& key, uint64_t offset = 0,
                                                      uint64_t len = UINT64_MAX,
                                                      const std::string& if_version = {});
    /// A small object whole; CORRUPT when it is larger than `limit`.
    [[nodiscard]] std::string read_all(const std::string& key, uint64_t limit);
    [[nodiscard]] std::optional<ObjectInfo> stat(const std::string& key);
    using Found = std::function<void(const std::string& key, const ObjectInfo&)>;
    /// In byte order; with `folders` the keys below the next "/" are folded into one that ends in
    /// it.
    void list(const std::string& prefix, bool folders, const Found& found);
    /// Removes all; throws what the first failure was, after trying every key.
    void remove(const std::vector<std::string>& keys);
    /// Aborts unfinished uploads under the prefix; 0 where the driver does not know of such.
    uint64_t abort_stale(const std::string& prefix, int64_t min_age_ms);
    /// Bytes; nothing where the driver or the place does not tell.
    [[nodiscard]] std::optional<uint64_t> free_space();
    void interrupt() noexcept;

private:
    friend class StorageUpload;
    friend class StorageReader;
    [[nodiscard]] const bk_storage& table() const noexcept { return driver_->table<bk_storage>(); }
    void check(bk_status status, const bk_error& error, const std::string& key) const;

    std::string name_;
    DriverPtr driver_;
    CallLock lock_;
    void* self_ = nullptr;
    CancelLink cancel_;
};

} // namespace bkhost
