// The services that a module gets for its init: the log and nothing else.
#pragma once

#include "core/base/log.hpp"

#include <bkhost/abi.h>

#include <atomic>
#include <string>

namespace bkhost {

/// Thread-safe.
class ModuleHost {
public:
    /// One that lives to the end of the process, since threads of a module may outlive its fini.
    [[nodiscard]] static ModuleHost& create(const std::string& module_id, Log& log);
    ModuleHost(const std::string& module_id, Log& log);
    ModuleHost(const ModuleHost&) = delete;
    ModuleHost& operator=(const ModuleHost&) = delete;
    [[nodiscard]] const bk_host* get() const noexcept { return &table_; }
    /// Ends the use of the log.
    void detach() noexcept { log_.store(nullptr); }

private:
    static void write(const bk_host* host, int32_t level, const char* text) noexcept;
    static void warn(const bk_host* host, const char* code, const char* object,
                     const char* text) noexcept;
    static bk_status no_secret(const bk_host*, const char*, bk_text_fn, void*, bk_error*) noexcept;

    std::string module_id_;
    std::atomic<Log*> log_;
    bk_host table_;
};

} // namespace bkhost
