// An instance gets a richer bk_host from core/driver; init has no job, no options and nothing to
// cancel.
#include "host/plugins/module_host.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <mutex>

namespace bkhost {

ModuleHost& ModuleHost::create(const std::string& module_id, Log& log) {
    static std::mutex mutex;
    // Released, so that nothing destroys it at exit, when a thread of a module may still log.
    static auto& all = *std::make_unique<std::deque<ModuleHost>>().release();
    const std::lock_guard lock(mutex);
    return all.emplace_back(module_id, log);
}

ModuleHost::ModuleHost(const std::string& module_id, Log& log)
    : module_id_(module_id),
      log_(&log), table_{sizeof(bk_host),
                         BK_ABI_MAJOR,
                         BK_ABI_MINOR,
                         this,
                         write,
                         [](const bk_host*) noexcept -> int32_t { return 0; },
                         [](const bk_host*, uint64_t, uint64_t) noexcept {},
                         no_secret,
                         warn,
                         [](const bk_host*, const char*) noexcept -> const void* {
                             return nullptr;
                         }} {}

void ModuleHost::write(const bk_host* host, int32_t level, const char* text) noexcept {
    auto* self = static_cast<ModuleHost*>(host->ctx);
    Log* log = self->log_.load();
    if (log == nullptr || text == nullptr) return;
    bk::guard(nullptr, [&] {
        const auto known = std::clamp<int32_t>(level, BK_LOG_DEBUG, BK_LOG_ERROR);
        log->write(static_cast<LogLevel>(known), self->module_id_ + ": " + text);
        return BK_OK;
    });
}

void ModuleHost::warn(const bk_host* host, const char*, const char*, const char* text) noexcept {
    write(host, BK_LOG_WARN, text);
}

bk_status ModuleHost::no_secret(const bk_host*, const char*, bk_text_fn, void*,
                                bk_error* error) noexcept {
    return bk::store_error(error, BK_E_NOT_FOUND,
                           "a module has no options while it is initialised");
}

} // namespace bkhost
