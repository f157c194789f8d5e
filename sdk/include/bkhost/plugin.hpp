// The C++ face of the ABI: what every driver shares. Include transform.hpp, storage.hpp, dumper.hpp
// or sanitizer.hpp for a kind, derive a class from its base, and end the plugin with BK_MODULE.
// Header only, std only; every exception ends in bk::guard.
#pragma once

#include <bkhost/abi.h>
#include <bkhost/error.hpp>
#include <bkhost/note.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace bk::inline v0 {

/// The values of an instance, already checked by the host. A view: valid as long as the instance.
/// Thread-safe.
class Config {
public:
    explicit Config(const bk_config* config) noexcept : config_(config) {}

    [[nodiscard]] bool has(const char* key) const noexcept {
        return config_->count(config_, key) > 0;
    }
    [[nodiscard]] uint32_t count(const char* key) const noexcept {
        return config_->count(config_, key);
    }
    /// The first value, or "" when absent.
    [[nodiscard]] std::string text(const char* key) const {
        const char* value = config_->get_str(config_, key, 0);
        return value != nullptr ? value : "";
    }
    [[nodiscard]] std::vector<std::string> list(const char* key) const {
        std::vector<std::string> all;
        for (uint32_t i = 0, n = count(key); i < n; ++i)
            all.emplace_back(config_->get_str(config_, key, i));
        return all;
    }
    /// INT, SIZE in bytes, DURATION in ms, ENUM as index; 0 when absent.
    [[nodiscard]] int64_t number(const char* key) const noexcept {
        return config_->get_int(config_, key, 0);
    }
    [[nodiscard]] bool flag(const char* key) const noexcept { return number(key) != 0; }
    [[nodiscard]] const bk_config* get() const noexcept { return config_; }

private:
    const bk_config* config_;
};

/// The host's services. A view: valid as long as the instance. Thread-safe.
class Host {
public:
    explicit Host(const bk_host* host) noexcept : host_(host) {}

    void debug(const std::string& text) const noexcept {
        host_->log(host_, BK_LOG_DEBUG, text.c_str());
    }
    void info(const std::string& text) const noexcept {
        host_->log(host_, BK_LOG_INFO, text.c_str());
    }
    /// Ends up in the manifest and in the catalog.
    void warn(const char* code, const std::string& object, const std::string& text) const noexcept {
        host_->warn(host_, code, object.c_str(), text.c_str());
    }
    void progress(uint64_t done, uint64_t total) const noexcept {
        host_->progress(host_, done, total);
    }
    [[nodiscard]] bool cancelled() const noexcept { return host_->is_cancelled(host_) != 0; }
    /// Throws CANCELLED once the work is cancelled: for long loops.
    void check_cancelled() const {
        if (cancelled()) throw Error(BK_E_CANCELLED, "cancelled");
    }
    /// The secret option `key`, read anew: for a token that expired in the middle. Throws.
    [[nodiscard]] std::string secret(const char* key) const {
        std::string value;
        const bk_text_fn take = [](void* ctx, const char* text, size_t len) noexcept {
            return guard(nullptr, [&] {
                static_cast<std::string*>(ctx)->assign(text, len);
                return bk_status{BK_OK};
            });
        };
        bk_error error = empty_error();
        const bk_status status = host_->get_secret(host_, key, take, &value, &error);
        if (status != BK_OK) throw_error(status, error);
        return value;
    }
    [[nodiscard]] const bk_host* get() const noexcept { return host_; }

private:
    const bk_host* host_;
};

/// Hands texts to a bk_text_fn; throws what the receiver answers. Confined to the call.
class Emit {
public:
    Emit(bk_text_fn fn, void* ctx) noexcept : fn_(fn), ctx_(ctx) {}
    void operator()(std::string_view text) const {
        if (const bk_status status = fn_(ctx_, text.data(), text.size()); status != BK_OK)
            throw Error(status, "the receiver of a text gave up");
    }

private:
    bk_text_fn fn_;
    void* ctx_;
};

/// A stream to read from. Confined to one thread.
class Source {
public:
    explicit Source(bk_source* source) noexcept : source_(source) {}
    /// 1..buffer.size() bytes; 0 at the end.
    [[nodiscard]] size_t read(std::span<uint8_t> buffer) const {
        size_t got = 0;
        bk_error error = empty_error();
        const bk_status status = source_->read(source_, buffer.data(), buffer.size(), &got, &error);
        if (status == BK_END) return 0;
        if (status != BK_OK) throw_error(status, error);
        return got;
    }
    /// Fills the buffer as far as the stream goes; gives the number of bytes.
    [[nodiscard]] size_t read_full(std::span<uint8_t> buffer) const {
        size_t done = 0;
        while (done < buffer.size()) {
            const size_t got = read(buffer.subspan(done));
            if (got == 0) break;
            done += got;
        }
        return done;
    }

private:
    bk_source* source_;
};

namespace internal {
/// The handle that crosses the ABI; a driver that gave nothing has failed.
template <class T>
T* handle(std::unique_ptr<T> made) {
    if (!made) throw Error(BK_E_INTERNAL, "the driver returned an empty pointer");
    return made.release();
}
} // namespace internal

/// One line of a driver's option table.
constexpr bk_option option(const char* key, uint32_t type, const char* help,
                           const char* default_value = nullptr, const char* allowed = nullptr,
                           uint32_t flags = 0) noexcept {
    return {sizeof(bk_option), type, flags, 0, key, default_value, allowed, help};
}

/// What a driver says of itself; the texts must be constants.
struct DriverInfo {
    const char* name;
    const char* summary;
    std::span<const bk_option> options = {};
    const char* schemes = "";
    uint32_t thread_model = BK_THREADS_PARALLEL;
};

/// The module's description; give it static storage (BK_MODULE does).
constexpr bk_module module(const char* id, const char* version, const char* summary,
                           std::span<const bk_component* const> components,
                           const char* license = "MIT", const char* vendor = "bkhost",
                           const char* url = "") noexcept {
    return {sizeof(bk_module),
            BK_ABI_MAJOR,
            BK_ABI_MINOR,
            id,
            version,
            summary,
            vendor,
            license,
            url,
            components.data(),
            static_cast<uint32_t>(components.size()),
            0,
            nullptr,
            nullptr};
}

} // namespace bk::inline v0

/// Ends a plugin, at file scope: the note and the entry. `note_drivers_` is one literal, a line a
/// driver: "storage:local:local,file\n". Then pointers to the components.
///     BK_MODULE("org.bkhost.local", "0.1.0", "files in a directory", "storage:local:local,file\n",
///               &component)
#define BK_MODULE(id_, version_, summary_, note_drivers_, ...)                                     \
    BK_DEFINE_NOTE(id_, version_, note_drivers_)                                                   \
    BK_EXPORT const bk_module* bk_module_v0(void) BK_NOEXCEPT {                                    \
        static constexpr const bk_component* components[] = {__VA_ARGS__};                         \
        static constexpr bk_module description = bk::module(id_, version_, summary_, components);  \
        return &description;                                                                       \
    }
