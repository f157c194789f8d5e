#include "core/driver/storage.hpp"

#include <bkhost/error.hpp>

#include <array>

namespace bkhost {
namespace {

ObjectInfo info_of(const bk_object& object) {
    return {object.size, object.modified_ms, object.version};
}

bk_object empty_object() {
    bk_object object{};
    object.struct_size = sizeof object;
    return object;
}

bk_put_options put_options(bool if_absent) {
    bk_put_options options{};
    options.struct_size = sizeof options;
    options.condition = if_absent ? BK_PUT_IF_ABSENT : BK_PUT_ALWAYS;
    return options;
}

} // namespace

Storage::Storage(std::string name, DriverPtr driver, const Services& services)
    : name_(std::move(name)), driver_(std::move(driver)), lock_(*driver_->component) {
    bk_error error = bk::empty_error();
    check(table().create(services.host(), driver_->values.config(), &self_, &error), error, "");
    cancel_.emplace(services.stop(), [this] { interrupt(); });
}

Storage::~Storage() {
    cancel_.reset();
    if (self_ != nullptr) table().destroy(self_);
}

void Storage::check(bk_status status, const bk_error& error, const std::string& key) const {
    if (status == BK_OK) return;
    bk::throw_error(status, error,
                    "storage '" + name_ + "'" + (key.empty() ? "" : ", object '" + key + "'"));
}

bk_storage_props Storage::props() {
    bk_storage_props props{};
    props.struct_size = sizeof props;
    const auto lock = lock_.take();
    table().props(self_, &props);
    return props;
}

void Storage::probe(const std::string& source_path) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    check(table().probe(self_, source_path.empty() ? nullptr : source_path.c_str(), &error), error,
          "");
}

ObjectInfo Storage::put(const std::string& key, std::span<const uint8_t> data, bool if_absent) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    bk_object object = empty_object();
    const bk_put_options options = put_options(if_absent);
    check(table().put(self_, key.c_str(), data.data(), data.size(), &options, &object, &error),
          error, key);
    return info_of(object);
}

std::unique_ptr<StorageUpload> Storage::upload(const std::string& key) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    void* handle = nullptr;
    const bk_put_options options = put_options(false);
    check(table().upload_begin(self_, key.c_str(), &options, &handle, &error), error, key);
    return std::make_unique<StorageUpload>(*this, key, handle);
}

std::unique_ptr<StorageReader> Storage::read(const std::string& key, uint64_t offset, uint64_t len,
                                             const std::string& if_version) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    void* handle = nullptr;
    check(table().read_open(self_, key.c_str(), offset, len,
                            if_version.empty() ? nullptr : if_version.c_str(), &handle, &error),
          error, key);
    return std::make_unique<StorageReader>(*this, key, handle);
}

std::string Storage::read_all(const std::string& key, uint64_t limit) {
    std::string text;
    std::array<uint8_t, 32 * 1024> buffer;
    const std::unique_ptr<StorageReader> reader = read(key);
    while (const size_t got = reader->read(buffer)) {
        text.append(reinterpret_cast<const char*>(buffer.data()), got);
        if (text.size() > limit)
            throw bk::Error(BK_E_CORRUPT, "storage '" + name_ + "', object '" + key +
                                              "': larger than any such object can be");
    }
    return text;
}

std::optional<ObjectInfo> Storage::stat(const std::string& key) {
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    bk_object object = empty_object();
    const bk_status status = table().stat(self_, key.c_str(), &object, &error);
    if (status == BK_E_NOT_FOUND) return std::nullopt;
    check(status, error, key);
    return info_of(object);
}

void Storage::list(const std::string& prefix, bool folders, const Found& found) {
    struct Receiver {
        const Found& found;
        std::exception_ptr thrown;
    } receiver{found, nullptr};
    const bk_object_fn receive = [](void* ctx, const char* key,
                                    const bk_object* object) noexcept -> bk_status {
        auto& to = *static_cast<Receiver*>(ctx);
        return bk::guard(nullptr, [&]() -> bk_status {
            try {
                to.found(key, info_of(*object));
                return BK_OK;
            } catch (const std::exception&) {
                to.thrown = std::current_exception(); // rethrown on this side of the boundary
                return BK_E_CANCELLED;
            }
        });
    };
    bk_error error = bk::empty_error();
    bk_status status = BK_OK;
    {
        const auto lock = lock_.take();
        status = table().list(self_, prefix.c_str(), nullptr, folders ? "/" : nullptr, receive,
                              &receiver, &error);
    }
    if (receiver.thrown) std::rethrow_exception(receiver.thrown);
    check(status, error, prefix);
}

void Storage::remove(const std::vector<std::string>& keys) {
    if (keys.empty()) return;
    std::vector<const char*> texts;
    texts.reserve(keys.size());
    for (const std::string& key : keys)
        texts.push_back(key.c_str());
    struct First {
        bk_status status = BK_OK;
        bk_error error = bk::empty_error();
        std::string key;
    } first;
    const bk_removed_fn receive = [](void* ctx, const char* key, bk_status status,
                                     const bk_error* error) noexcept -> bk_status {
        auto& to = *static_cast<First*>(ctx);
        if (status == BK_OK || status == BK_E_NOT_FOUND || to.status != BK_OK) return BK_OK;
        to.status = status;
        to.error = *error;
        return bk::guard(nullptr, [&] { return to.key = key, BK_OK; });
    };
    const auto lock = lock_.take();
    bk_error error = bk::empty_error();
    const bk_status status = table().remove_many(
        self_, texts.data(), static_cast<uint32_t>(texts.size()), receive, &first, &error);
    check(status, error, "");
    check(first.status, first.error, first.key);
}

uint64_t Storage::abort_stale(const std::string& prefix, int64_t min_age_ms) {
    const auto* uploads = driver_->extension<bk_storage_uploads>(BK_STORAGE_UPLOADS_ID);
    if (uploads == nullptr) return 0;
    const auto lock = lock_.take();
    uint64_t count = 0;
    bk_error error = bk::empty_error();
    check(uploads->abort_stale(self_, prefix.c_str(), min_age_ms, &count, &error), error, prefix);
    return count;
}

std::optional<uint64_t> Storage::free_space() {
    const auto* usage = driver_->extension<bk_storage_usage>(BK_STORAGE_USAGE_ID);
    if (usage == nullptr) return std::nullopt;
    const auto lock = lock_.take();
    uint64_t free = UINT64_MAX, total = UINT64_MAX;
    bk_error error = bk::empty_error();
    check(usage->free_space(self_, &free, &total, &error), error, "");
    if (free == UINT64_MAX) return std::nullopt;
    return free;
}

void Storage::interrupt() noexcept { table().interrupt(self_); }

StorageUpload::StorageUpload(Storage& storage, std::string key, void* handle) noexcept
    : storage_(storage), key_(std::move(key)), handle_(handle) {}

StorageUpload::~StorageUpload() {
    const auto lock = storage_.lock_.take();
    if (open_) {
        bk_error error =
            bk::empty_error(); // what an abort could not remove is swept later by its age
        (void)storage_.table().upload_abort(handle_, &error);
    }
    storage_.table().upload_free(handle_);
}

bk_part StorageUpload::part(uint32_t number, uint64_t offset, std::span<const uint8_t> data) {
    bk_part part{};
    part.struct_size = sizeof part;
    part.number = number;
    part.offset = offset;
    part.size = data.size();
    const auto lock = storage_.lock_.take();
    bk_error error = bk::empty_error();
    storage_.check(storage_.table().upload_part(handle_, &part, data.data(), &error), error, key_);
    return part;
}

ObjectInfo StorageUpload::commit(const std::vector<bk_part>& parts) {
    const auto lock = storage_.lock_.take();
    bk_error error = bk::empty_error();
    bk_object object = empty_object();
    storage_.check(storage_.table().upload_commit(
                       handle_, parts.data(), static_cast<uint32_t>(parts.size()), &object, &error),
                   error, key_);
    open_ = false;
    return info_of(object);
}

void StorageUpload::abort() {
    const auto lock = storage_.lock_.take();
    bk_error error = bk::empty_error();
    open_ = false;
    storage_.check(storage_.table().upload_abort(handle_, &error), error, key_);
}

StorageReader::StorageReader(Storage& storage, std::string key, void* handle) noexcept
    : storage_(storage), key_(std::move(key)), handle_(handle) {}

StorageReader::~StorageReader() {
    const auto lock = storage_.lock_.take();
    storage_.table().read_close(handle_);
}

size_t StorageReader::read(std::span<uint8_t> buffer) {
    const auto lock = storage_.lock_.take();
    bk_error error = bk::empty_error();
    size_t got = 0;
    const bk_status status =
        storage_.table().read(handle_, buffer.data(), buffer.size(), &got, &error);
    if (status == BK_END) return 0;
    storage_.check(status, error, key_);
    if (got == 0 || got > buffer.size())
        throw bk::Error(BK_E_INTERNAL, "storage '" + storage_.name_ + "': read gave " +
                                           std::to_string(got) + " bytes of " +
                                           std::to_string(buffer.size()));
    return got;
}

} // namespace bkhost
