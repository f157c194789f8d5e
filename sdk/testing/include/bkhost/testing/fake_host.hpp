// Stands in for the host in a driver's unit tests: records what a driver tells it and lets the test
// cancel. This one include brings the other fakes too. Needs no test framework.
#pragma once

#include <bkhost/plugin.hpp>
#include <bkhost/testing/fake_config.hpp>
#include <bkhost/testing/memory_source.hpp>
#include <bkhost/testing/recording_sink.hpp>

#include <map>
#include <mutex>

namespace bk::inline v0 {

/// A bk_host. Thread-safe; must outlive the instance that uses it.
class FakeHost {
public:
    struct LogLine {
        int32_t level;
        std::string text;
        bool operator==(const LogLine&) const = default;
    };
    struct Warning {
        std::string code, object, text;
        bool operator==(const Warning&) const = default;
    };
    struct Progress {
        uint64_t done, total;
        bool operator==(const Progress&) const = default;
    };

    FakeHost() = default;
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    [[nodiscard]] const bk_host* get() const noexcept { return &table_; }
    [[nodiscard]] Host host() const noexcept { return Host(&table_); }

    /// From now on the driver is told that the work is cancelled.
    void cancel() { cancel_at_poll(0); }
    /// The first `polls` calls of is_cancelled still say no: stops a loop in the middle.
    void cancel_at_poll(uint64_t polls) {
        const std::lock_guard lock(mutex_);
        cancel_at_ = polls_ + polls;
    }
    void set_secret(const std::string& key, std::string value) {
        const std::lock_guard lock(mutex_);
        secrets_[key] = std::move(value);
    }
    /// What get_extension gives for `id`; the table must outlive this object.
    void set_extension(const std::string& id, const void* table) {
        const std::lock_guard lock(mutex_);
        extensions_[id] = table;
    }

    [[nodiscard]] std::vector<LogLine> logs() const { return copy(logs_); }
    [[nodiscard]] std::vector<Warning> warnings() const { return copy(warnings_); }
    [[nodiscard]] std::vector<Progress> progress() const { return copy(progress_); }
    /// How often is_cancelled was called.
    [[nodiscard]] uint64_t polls() const {
        const std::lock_guard lock(mutex_);
        return polls_;
    }

private:
    static FakeHost& of(const bk_host* host) noexcept { return *static_cast<FakeHost*>(host->ctx); }

    template <class T>
    std::vector<T> copy(const std::vector<T>& list) const {
        const std::lock_guard lock(mutex_);
        return list;
    }

    static void log(const bk_host* host, int32_t level, const char* text) noexcept {
        FakeHost& self = of(host);
        const std::lock_guard lock(self.mutex_);
        self.logs_.push_back({level, text});
    }
    static int32_t is_cancelled(const bk_host* host) noexcept {
        FakeHost& self = of(host);
        const std::lock_guard lock(self.mutex_);
        return self.polls_++ >= self.cancel_at_ ? 1 : 0;
    }
    static void on_progress(const bk_host* host, uint64_t done, uint64_t total) noexcept {
        FakeHost& self = of(host);
        const std::lock_guard lock(self.mutex_);
        self.progress_.push_back({done, total});
    }
    static bk_status get_secret(const bk_host* host, const char* key, bk_text_fn fn, void* ctx,
                                bk_error* error) noexcept {
        return guard(error, [&] {
            std::string value;
            {
                FakeHost& self = of(host);
                const std::lock_guard lock(self.mutex_);
                const auto found = self.secrets_.find(key);
                if (found == self.secrets_.end())
                    throw Error(BK_E_NOT_FOUND, std::string("no secret '") + key + "'");
                value = found->second;
            }
            return fn(ctx, value.data(), value.size());
        });
    }
    static void warn(const bk_host* host, const char* code, const char* object,
                     const char* text) noexcept {
        FakeHost& self = of(host);
        const std::lock_guard lock(self.mutex_);
        self.warnings_.push_back({code, object, text});
    }
    static const void* get_extension(const bk_host* host, const char* id) noexcept {
        FakeHost& self = of(host);
        const std::lock_guard lock(self.mutex_);
        const auto found = self.extensions_.find(id);
        return found != self.extensions_.end() ? found->second : nullptr;
    }

    mutable std::mutex mutex_;
    uint64_t polls_ = 0;
    uint64_t cancel_at_ = UINT64_MAX;
    std::map<std::string, std::string> secrets_;
    std::map<std::string, const void*> extensions_;
    std::vector<LogLine> logs_;
    std::vector<Warning> warnings_;
    std::vector<Progress> progress_;
    bk_host table_{sizeof(bk_host), BK_ABI_MAJOR, BK_ABI_MINOR, this, log,
                   is_cancelled,    on_progress,  get_secret,   warn, get_extension};
};

/// Collects what a call hands over through a bk_text_fn:
///     Texts texts;
///     table.probe(self, Texts::take, &texts, &error);
struct Texts {
    std::vector<std::string> all;

    static bk_status take(void* ctx, const char* text, size_t len) noexcept {
        static_cast<Texts*>(ctx)->all.emplace_back(text, len);
        return BK_OK;
    }
    [[nodiscard]] std::string joined() const {
        std::string text;
        for (const std::string& one : all)
            text += one;
        return text;
    }
};

/// The driver `name` of the plugin whose sources are linked into the test program (what
/// bkhost_add_plugin does with TESTS). Throws NOT_FOUND.
inline const bk_component& linked_driver(std::string_view name) {
    const bk_module* module = bk_module_v0();
    for (uint32_t i = 0; i < module->component_count; ++i)
        if (module->components[i]->name == name) return *module->components[i];
    throw Error(BK_E_NOT_FOUND, "the plugin has no driver '" + std::string(name) + "'");
}

} // namespace bk::inline v0
