// The tables that the host sees: the driver, its two extensions and the module.
#include "local.hpp"
#include "settings.hpp"

#include <string_view>

namespace {

using Table = bk::storage<local::LocalStorage>;

local::LocalStorage& storage_of(void* self) noexcept {
    return static_cast<local::LocalStorage&>(*Table::as(self));
}

bk_status abort_stale(void* self, const char* prefix, int64_t min_age_ms, uint64_t* count,
                      bk_error* error) noexcept {
    *count = 0;
    return bk::guard(error, [&] {
        *count = storage_of(self).abort_stale(prefix, min_age_ms);
        return BK_OK;
    });
}

bk_status free_space(void* self, uint64_t* free_bytes, uint64_t* total_bytes,
                     bk_error* error) noexcept {
    return bk::guard(error, [&] {
        const local::LocalStorage::Space space = storage_of(self).space();
        *free_bytes = space.free;
        *total_bytes = space.total;
        return BK_OK;
    });
}

constexpr bk_storage_uploads kUploads{sizeof(bk_storage_uploads), 0, abort_stale};
constexpr bk_storage_usage kUsage{sizeof(bk_storage_usage), 0, free_space};

const void* get_extension(const char* id) noexcept {
    if (std::string_view(id) == BK_STORAGE_UPLOADS_ID) return &kUploads;
    if (std::string_view(id) == BK_STORAGE_USAGE_ID) return &kUsage;
    return nullptr;
}

constexpr bk_component kLocal =
    bk::storage_component<local::LocalStorage>({.name = "local",
                                                .summary = "files in a directory",
                                                .options = local::kOptions,
                                                .schemes = "local,file"},
                                               get_extension);

} // namespace

BK_MODULE("org.bkhost.local", "0.1.0", "files in a directory as a storage",
          "storage:local:local,file\n", &kLocal)
