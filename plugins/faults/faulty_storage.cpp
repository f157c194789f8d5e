// The storage "faulty": every call goes through Wrapper::run to the storage inside.
#include "faulty_drivers.hpp"
#include "wrapped_driver.hpp"
#include "wrapper.hpp"

#include <bkhost/storage.hpp>

#include <algorithm>

namespace faults {
namespace {

constexpr Function kFunctions[] = {{"create"},
                                   {"probe"},
                                   {"put", kFlip | kShort | kDrop},
                                   {"upload_begin"},
                                   {"upload_part", kFlip | kShort | kDrop},
                                   {"upload_commit", kDrop},
                                   {"upload_abort", kDrop},
                                   {"read_open"},
                                   {"read", kFlip | kTruncate},
                                   {"stat"},
                                   {"list", kDrop},
                                   {"remove_many", kDrop},
                                   {"abort_stale", kDrop},
                                   {"free_space"}};

/// An instance. Thread-safe, as the storage inside must be.
struct FaultyStorage {
    FaultyStorage(const bk_host* host, bk::Config config, FaultPlan& plan)
        : wrapped(config, BK_STORAGE_ID, nullptr), table(wrapped.table<bk_storage>()),
          wrapper(bk::Host(host), plan), losing(plan.loses("upload_part")) {
        bk_error error = bk::empty_error();
        const bk_status status = table.create(host, wrapped.config(), &inner, &error);
        if (status != BK_OK) bk::throw_error(status, error);
    }
    ~FaultyStorage() {
        if (inner != nullptr) table.destroy(inner);
    }
    FaultyStorage(const FaultyStorage&) = delete;
    FaultyStorage& operator=(const FaultyStorage&) = delete;

    WrappedDriver wrapped;
    const bk_storage& table;
    Wrapper wrapper;
    const bool losing; ///< parts then come in order, or nobody could tell what is lost
    void* inner = nullptr;
};

/// An upload. `cut`: data were lost, and all that comes after them is lost as well, so that what is
/// stored is the beginning of the object.
struct FaultyUpload {
    FaultyUpload(FaultyStorage& in, std::string name) : storage(in), key(std::move(name)) {}

    FaultyStorage& storage;
    std::string key;
    void* inner = nullptr;
    bool cut = false;
    uint64_t size = 0;
    std::vector<bk_part> stored; ///< what the storage inside acknowledged, once cut is set
    std::mutex mutex;
};

struct FaultyReader {
    FaultyReader(FaultyStorage& in, std::string name, uint64_t offset)
        : storage(in), key(std::move(name)), at(offset) {}

    FaultyStorage& storage;
    std::string key;
    uint64_t at;
    void* inner = nullptr;
    bool ended = false;
};

FaultyStorage& of(void* self) { return *static_cast<FaultyStorage*>(self); }

bk_object plain_object(uint64_t size) {
    bk_object object = bk::empty_object();
    object.size = size;
    return object;
}

bk_status create(const bk_host* host, const bk_config* values, void** self,
                 bk_error* error) noexcept {
    return bk::guard(error, [&] {
        const bk::Config config(values);
        FaultPlan& plan = FaultPlan::of(config, BK_STORAGE_ID, kFunctions);
        Wrapper first(bk::Host(host), plan);
        return first.run({"create"}, error, [&](const Verdict&) {
            *self = std::make_unique<FaultyStorage>(host, config, plan).release();
            return BK_OK;
        });
    });
}

void destroy(void* self) noexcept { delete static_cast<FaultyStorage*>(self); }

void props(void* self, bk_storage_props* out) noexcept {
    of(self).table.props(of(self).inner, out);
    if (of(self).losing) out->capabilities |= BK_CAP_SEQUENTIAL;
}

void interrupt(void* self) noexcept {
    of(self).wrapper.interrupt();
    of(self).table.interrupt(of(self).inner);
}

bk_status probe(void* self, const char* source_path, bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    return storage.wrapper.run({"probe"}, error, [&](const Verdict&) {
        return storage.table.probe(storage.inner, source_path, error);
    });
}

bk_status put(void* self, const char* key, const void* data, size_t len,
              const bk_put_options* options, bk_object* object, bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    return storage.wrapper.run({"put", key, 0, len}, error, [&](const Verdict& verdict) {
        if (verdict.drop) return *object = plain_object(len), bk_status{BK_OK};
        const std::vector<uint8_t> copy =
            verdict.flip ? flipped(data, len) : std::vector<uint8_t>();
        const bk_status status =
            storage.table.put(storage.inner, key, verdict.flip ? copy.data() : data,
                              verdict.shorten ? len / 2 : len, options, object, error);
        if (status == BK_OK && verdict.shorten) object->size = len;
        return status;
    });
}

bk_status upload_begin(void* self, const char* key, const bk_put_options* options, void** handle,
                       bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    std::unique_ptr<FaultyUpload> upload;
    const bk_status status = storage.wrapper.run({"upload_begin", key}, error, [&](const Verdict&) {
        upload = std::make_unique<FaultyUpload>(storage, key);
        return storage.table.upload_begin(storage.inner, key, options, &upload->inner, error);
    });
    if (status == BK_OK)
        *handle = upload.release();
    else if (upload && upload->inner != nullptr) // it went through and says that it did not
        storage.table.upload_free(upload->inner);
    return status;
}

/// Hands a part to the storage inside, or what is left of it.
bk_status pass_part(FaultyUpload& upload, bk_part& part, const void* data, const Verdict& verdict,
                    bk_error* error) {
    const std::lock_guard lock(upload.mutex); // parts come in order where data are lost
    if (upload.cut) return upload.size += part.size, bk_status{BK_OK};
    const bk_storage& table = upload.storage.table;
    const std::vector<uint8_t> copy =
        verdict.flip ? flipped(data, part.size) : std::vector<uint8_t>();
    bk_part sent = part;
    if (verdict.shorten) sent.size /= 2;
    upload.cut = verdict.shorten || verdict.drop;
    bk_status status = BK_OK;
    if (sent.size > 0 && !verdict.drop)
        status = table.upload_part(upload.inner, &sent, verdict.flip ? copy.data() : data, error);
    if (status != BK_OK) return status;
    upload.size += part.size;
    if (sent.size > 0 && !verdict.drop) upload.stored.push_back(sent);
    std::copy(std::begin(sent.token), std::end(sent.token), std::begin(part.token));
    return BK_OK;
}

bk_status upload_part(void* handle, bk_part* part, const void* data, bk_error* error) noexcept {
    auto& upload = *static_cast<FaultyUpload*>(handle);
    const Call call{"upload_part", upload.key, part->offset, part->size};
    return upload.storage.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
        if (upload.storage.losing) return pass_part(upload, *part, data, verdict, error);
        const bk_storage& table = upload.storage.table;
        if (!verdict.flip) return table.upload_part(upload.inner, part, data, error);
        const std::vector<uint8_t> copy = flipped(data, part->size);
        return table.upload_part(upload.inner, part, copy.data(), error);
    });
}

bk_status upload_commit(void* handle, const bk_part* parts, uint32_t count, bk_object* object,
                        bk_error* error) noexcept {
    auto& upload = *static_cast<FaultyUpload*>(handle);
    uint64_t size = 0;
    for (uint32_t i = 0; i < count; ++i)
        size += parts[i].size;
    return upload.storage.wrapper.run(
        {"upload_commit", upload.key, 0, size}, error, [&](const Verdict& verdict) -> bk_status {
            if (verdict.drop) return *object = plain_object(size), bk_status{BK_OK};
            const bk_part* given = upload.cut ? upload.stored.data() : parts;
            const auto number = upload.cut ? static_cast<uint32_t>(upload.stored.size()) : count;
            const bk_status status =
                upload.storage.table.upload_commit(upload.inner, given, number, object, error);
            if (status == BK_OK) object->size = size;
            return status;
        });
}

bk_status upload_abort(void* handle, bk_error* error) noexcept {
    auto& upload = *static_cast<FaultyUpload*>(handle);
    return upload.storage.wrapper.run(
        {"upload_abort", upload.key}, error, [&](const Verdict& verdict) -> bk_status {
            if (verdict.drop) return BK_OK;
            return upload.storage.table.upload_abort(upload.inner, error);
        });
}

void upload_free(void* handle) noexcept {
    const std::unique_ptr<FaultyUpload> upload(static_cast<FaultyUpload*>(handle));
    upload->storage.table.upload_free(upload->inner);
}

bk_status read_open(void* self, const char* key, uint64_t offset, uint64_t len,
                    const char* if_version, void** handle, bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    std::unique_ptr<FaultyReader> reader;
    const bk_status status =
        storage.wrapper.run({"read_open", key, offset, len}, error, [&](const Verdict&) {
            reader = std::make_unique<FaultyReader>(storage, key, offset);
            return storage.table.read_open(storage.inner, key, offset, len, if_version,
                                           &reader->inner, error);
        });
    if (status == BK_OK)
        *handle = reader.release();
    else if (reader && reader->inner != nullptr)
        storage.table.read_close(reader->inner);
    return status;
}

bk_status read(void* handle, void* buffer, size_t cap, size_t* got, bk_error* error) noexcept {
    auto& reader = *static_cast<FaultyReader*>(handle);
    *got = 0;
    if (reader.ended) return BK_END;
    const bk_status status = reader.storage.wrapper.run(
        {"read", reader.key, reader.at, cap}, error, [&](const Verdict& verdict) -> bk_status {
            reader.ended = verdict.truncate;
            if (verdict.truncate) return BK_END;
            const bk_status answer =
                reader.storage.table.read(reader.inner, buffer, cap, got, error);
            if (answer == BK_OK && verdict.flip) static_cast<uint8_t*>(buffer)[*got / 2] ^= 0x10;
            return answer;
        });
    reader.at += *got;
    return status;
}

void read_close(void* handle) noexcept {
    const std::unique_ptr<FaultyReader> reader(static_cast<FaultyReader*>(handle));
    reader->storage.table.read_close(reader->inner);
}

bk_status stat(void* self, const char* key, bk_object* object, bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    return storage.wrapper.run({"stat", key}, error, [&](const Verdict&) {
        return storage.table.stat(storage.inner, key, object, error);
    });
}

bk_status list(void* self, const char* prefix, const char* start_after, const char* delimiter,
               bk_object_fn fn, void* ctx, bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    return storage.wrapper.run({"list", prefix}, error, [&](const Verdict& verdict) -> bk_status {
        if (verdict.drop) return BK_OK;
        return storage.table.list(storage.inner, prefix, start_after, delimiter, fn, ctx, error);
    });
}

bk_status remove_many(void* self, const char* const* keys, uint32_t count, bk_removed_fn fn,
                      void* ctx, bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    const Call call{"remove_many", count > 0 ? keys[0] : "", 0, count};
    return storage.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
        if (!verdict.drop)
            return storage.table.remove_many(storage.inner, keys, count, fn, ctx, error);
        const bk_error none = bk::empty_error();
        for (uint32_t i = 0; i < count; ++i)
            if (const bk_status status = fn(ctx, keys[i], BK_OK, &none); status != BK_OK)
                return status;
        return BK_OK;
    });
}

bk_status abort_stale(void* self, const char* prefix, int64_t min_age_ms, uint64_t* count,
                      bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    *count = 0;
    return storage.wrapper.run(
        {"abort_stale", prefix}, error, [&](const Verdict& verdict) -> bk_status {
            const auto* uploads =
                storage.wrapped.extension<bk_storage_uploads>(BK_STORAGE_UPLOADS_ID);
            if (verdict.drop || uploads == nullptr) return BK_OK;
            return uploads->abort_stale(storage.inner, prefix, min_age_ms, count, error);
        });
}

bk_status free_space(void* self, uint64_t* free_bytes, uint64_t* total_bytes,
                     bk_error* error) noexcept {
    FaultyStorage& storage = of(self);
    *free_bytes = *total_bytes = UINT64_MAX;
    return storage.wrapper.run({"free_space"}, error, [&](const Verdict&) -> bk_status {
        const auto* usage = storage.wrapped.extension<bk_storage_usage>(BK_STORAGE_USAGE_ID);
        if (usage == nullptr) return BK_OK;
        return usage->free_space(storage.inner, free_bytes, total_bytes, error);
    });
}

constexpr bk_storage kTable{sizeof(bk_storage),
                            0,
                            create,
                            destroy,
                            props,
                            interrupt,
                            probe,
                            put,
                            upload_begin,
                            upload_part,
                            upload_commit,
                            upload_abort,
                            upload_free,
                            read_open,
                            read,
                            read_close,
                            stat,
                            list,
                            remove_many,
                            nullptr};
constexpr bk_storage_uploads kUploads{sizeof(bk_storage_uploads), 0, abort_stale};
constexpr bk_storage_usage kUsage{sizeof(bk_storage_usage), 0, free_space};

const void* extension(const char* id) noexcept {
    const std::string_view wanted(id);
    if (wanted == BK_STORAGE_UPLOADS_ID) return &kUploads;
    return wanted == BK_STORAGE_USAGE_ID ? &kUsage : nullptr;
}

} // namespace

constexpr bk_component kFaultyStorage{sizeof(bk_component),
                                      BK_THREADS_PARALLEL,
                                      "faulty",
                                      BK_STORAGE_ID,
                                      "another storage, with faults: for tests",
                                      kWrapperOptions,
                                      std::size(kWrapperOptions),
                                      0,
                                      "faulty",
                                      &kTable,
                                      &extension};

} // namespace faults
