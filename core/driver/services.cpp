#include "core/driver/services.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {

Services& services_of(const bk_host* host) { return *static_cast<Services*>(host->ctx); }

std::mutex& module_mutex() { // one for all drivers of the MODULE model: rare, and never wrong
    static std::mutex mutex;
    return mutex;
}

} // namespace

Services::Services(Log& log, std::stop_token stop) : log_(log), stop_(std::move(stop)), host_{} {
    host_.struct_size = sizeof host_;
    host_.abi_major = BK_ABI_MAJOR;
    host_.abi_minor = BK_ABI_MINOR;
    host_.ctx = this;
    host_.log = [](const bk_host* host, int32_t level, const char* text) noexcept {
        const int32_t known = level < 0 ? 0 : level > 3 ? 3 : level;
        services_of(host).log_.write(static_cast<LogLevel>(known), text);
    };
    host_.is_cancelled = [](const bk_host* host) noexcept -> int32_t {
        return services_of(host).stop_.stop_requested() ? 1 : 0;
    };
    // A driver's own account of its progress is not shown: the pipeline counts the bytes itself.
    host_.progress = [](const bk_host*, uint64_t, uint64_t) noexcept {};
    host_.get_secret = [](const bk_host*, const char* key, bk_text_fn, void*,
                          bk_error* error) noexcept -> bk_status {
        return bk::store_error(error, BK_E_UNSUPPORTED,
                               std::string("secret '") + key + "' cannot be read anew",
                               "use the value that the configuration gave");
    };
    host_.warn = [](const bk_host* host, const char* code, const char* object,
                    const char* text) noexcept {
        Services& services = services_of(host);
        services.log_.warn(std::string(object) + ": " + text);
        const std::lock_guard lock(services.mutex_);
        services.warnings_.push_back({code, object, text});
    };
    host_.get_extension = [](const bk_host*, const char*) noexcept -> const void* {
        return nullptr;
    };
}

std::vector<Warning> Services::warnings() const {
    const std::lock_guard lock(mutex_);
    return warnings_;
}

DriverPtr set_up(Registry& registry, std::string_view kind, const DriverSpec& spec,
                 const std::string& object) {
    const DriverDescription& description = registry.describe(kind, spec.driver);
    OptionValues values(description.options, spec.options,
                        object + " (driver " + description.name + ")");
    const bk_component& component = registry.load(kind, spec.driver);
    return std::make_shared<const DriverSetup>(
        DriverSetup{description, &component, std::move(values)});
}

CallLock::CallLock(const bk_component& component) noexcept
    : mutex_(component.thread_model == BK_THREADS_PARALLEL   ? nullptr
             : component.thread_model == BK_THREADS_INSTANCE ? &own_
                                                             : &module_mutex()) {}

std::unique_lock<std::mutex> CallLock::take() {
    return mutex_ == nullptr ? std::unique_lock<std::mutex>() : std::unique_lock(*mutex_);
}

} // namespace bkhost
