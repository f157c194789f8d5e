// A storage as C++ classes. The contract of each call is in storage.h; here a failure is thrown.
#pragma once

#include <bkhost/plugin.hpp>
#include <bkhost/storage.h>

#include <concepts>

namespace bk::inline v0 {

using Bytes = std::span<const uint8_t>;

/// A bk_object ready to be filled.
inline bk_object empty_object() noexcept {
    bk_object object{};
    object.struct_size = sizeof object;
    return object;
}
inline void set_version(bk_object& object, std::string_view version) noexcept {
    internal::copy_text(object.version, sizeof object.version, version);
}

/// An object that is not visible yet. The destructor leaves nothing behind if commit did not
/// happen.
class Upload {
public:
    virtual ~Upload() = default;
    virtual void part(bk_part& part, Bytes data) = 0;
    virtual bk_object commit(std::span<const bk_part> parts) = 0;
    virtual void abort() = 0;
};

class Reader {
public:
    virtual ~Reader() = default;
    /// 1..buffer.size() bytes; 0 at the end.
    virtual size_t read(std::span<uint8_t> buffer) = 0;
};

class Storage {
public:
    Storage() = default;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    virtual ~Storage() = default;

    virtual void props(bk_storage_props& props) noexcept = 0;
    virtual void interrupt() noexcept {}
    virtual void probe(const char* source_path) = 0;
    virtual bk_object put(std::string_view key, Bytes data, const bk_put_options& options) = 0;
    virtual std::unique_ptr<Upload> upload(std::string_view key, const bk_put_options& options) = 0;
    virtual std::unique_ptr<Reader> read(std::string_view key, uint64_t offset, uint64_t len,
                                         const char* if_version) = 0;
    /// Nothing when the object is absent.
    virtual std::optional<bk_object> stat(std::string_view key) = 0;
    using Found = std::function<void(const char* key, const bk_object&)>;
    virtual void list(std::string_view prefix, const char* start_after, const char* delimiter,
                      const Found& found) = 0;
    /// Throws when the key could not be removed; an absent key counts as removed.
    virtual void remove(std::string_view key) = 0;
};

template <class T>
concept StorageDriver = std::derived_from<T, Storage> && std::constructible_from<T, Host, Config>;

template <StorageDriver T>
struct storage {
    static Storage* as(void* self) noexcept { return static_cast<Storage*>(self); }

    static bk_status create(const bk_host* host, const bk_config* config, void** self,
                            bk_error* error) noexcept {
        return guard(error, [&] {
            std::unique_ptr<Storage> made = std::make_unique<T>(Host(host), Config(config));
            *self = made.release();
            return BK_OK;
        });
    }
    static void destroy(void* self) noexcept { delete as(self); }
    static void props(void* self, bk_storage_props* out) noexcept { as(self)->props(*out); }
    static void interrupt(void* self) noexcept { as(self)->interrupt(); }
    static bk_status probe(void* self, const char* source_path, bk_error* error) noexcept {
        return guard(error, [&] { return as(self)->probe(source_path), BK_OK; });
    }
    static bk_status put(void* self, const char* key, const void* data, size_t len,
                         const bk_put_options* options, bk_object* object,
                         bk_error* error) noexcept {
        return guard(error, [&] {
            *object = as(self)->put(key, Bytes(static_cast<const uint8_t*>(data), len), *options);
            return BK_OK;
        });
    }
    static bk_status upload_begin(void* self, const char* key, const bk_put_options* options,
                                  void** upload, bk_error* error) noexcept {
        return guard(error, [&] {
            *upload = internal::handle(as(self)->upload(key, *options));
            return BK_OK;
        });
    }
    static bk_status upload_part(void* upload, bk_part* part, const void* data,
                                 bk_error* error) noexcept {
        return guard(error, [&] {
            static_cast<Upload*>(upload)->part(
                *part, Bytes(static_cast<const uint8_t*>(data), part->size));
            return BK_OK;
        });
    }
    static bk_status upload_commit(void* upload, const bk_part* parts, uint32_t count,
                                   bk_object* object, bk_error* error) noexcept {
        return guard(error, [&] {
            *object = static_cast<Upload*>(upload)->commit(std::span(parts, count));
            return BK_OK;
        });
    }
    static bk_status upload_abort(void* upload, bk_error* error) noexcept {
        return guard(error, [&] { return static_cast<Upload*>(upload)->abort(), BK_OK; });
    }
    static void upload_free(void* upload) noexcept { delete static_cast<Upload*>(upload); }

    static bk_status read_open(void* self, const char* key, uint64_t offset, uint64_t len,
                               const char* if_version, void** reader, bk_error* error) noexcept {
        return guard(error, [&] {
            *reader = internal::handle(as(self)->read(key, offset, len, if_version));
            return BK_OK;
        });
    }
    static bk_status read(void* reader, void* buffer, size_t cap, size_t* got,
                          bk_error* error) noexcept {
        *got = 0;
        return guard(error, [&] {
            *got =
                static_cast<Reader*>(reader)->read(std::span(static_cast<uint8_t*>(buffer), cap));
            return *got == 0 ? BK_END : BK_OK;
        });
    }
    static void read_close(void* reader) noexcept { delete static_cast<Reader*>(reader); }

    static bk_status stat(void* self, const char* key, bk_object* object,
                          bk_error* error) noexcept {
        return guard(error, [&] {
            const std::optional<bk_object> found = as(self)->stat(key);
            if (!found)
                return store_error(error, BK_E_NOT_FOUND, std::string("no object '") + key + "'");
            *object = *found;
            return bk_status{BK_OK};
        });
    }
    static bk_status list(void* self, const char* prefix, const char* start_after,
                          const char* delimiter, bk_object_fn fn, void* ctx,
                          bk_error* error) noexcept {
        return guard(error, [&] {
            as(self)->list(prefix, start_after, delimiter,
                           [&](const char* key, const bk_object& object) {
                               if (const bk_status status = fn(ctx, key, &object); status != BK_OK)
                                   throw Error(status, "the receiver of a list gave up");
                           });
            return BK_OK;
        });
    }
    static bk_status remove_many(void* self, const char* const* keys, uint32_t count,
                                 bk_removed_fn fn, void* ctx, bk_error* error) noexcept {
        return guard(error, [&] {
            for (uint32_t i = 0; i < count; ++i) {
                bk_error one = empty_error();
                const bk_status status =
                    guard(&one, [&] { return as(self)->remove(keys[i]), BK_OK; });
                if (const bk_status answer = fn(ctx, keys[i], status, &one); answer != BK_OK)
                    throw Error(answer, "the receiver of the results gave up");
            }
            return BK_OK;
        });
    }

    static constexpr bk_storage table{sizeof(bk_storage),
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
};

/// The driver's constant description.
template <class T>
constexpr bk_component
storage_component(const DriverInfo& info,
                  const void* (*get_extension)(const char*) noexcept = nullptr) {
    return {sizeof(bk_component),
            info.thread_model,
            info.name,
            BK_STORAGE_ID,
            info.summary,
            info.options.data(),
            static_cast<uint32_t>(info.options.size()),
            0,
            info.schemes,
            &storage<T>::table,
            get_extension};
}

} // namespace bk::inline v0
