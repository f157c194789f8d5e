// A sanitizer as a C++ class. The contract of each call is in sanitizer.h; here a failure is
// thrown.
#pragma once

#include <bkhost/plugin.hpp>
#include <bkhost/sanitizer.h>

#include <concepts>

namespace bk::inline v0 {

class Sanitizer {
public:
    Sanitizer() = default;
    Sanitizer(const Sanitizer&) = delete;
    Sanitizer& operator=(const Sanitizer&) = delete;
    virtual ~Sanitizer() = default;
    [[nodiscard]] virtual std::string expression(const char* dialect, const char* column) = 0;
    /// 0..100
    [[nodiscard]] virtual int32_t suggest(const char* column) = 0;
};

template <class T>
concept SanitizerDriver =
    std::derived_from<T, Sanitizer> && std::constructible_from<T, Host, Config>;

template <SanitizerDriver T>
struct sanitizer {
    static Sanitizer* as(void* self) noexcept { return static_cast<Sanitizer*>(self); }

    static bk_status create(const bk_host* host, const bk_config* config, void** self,
                            bk_error* error) noexcept {
        return guard(error, [&] {
            std::unique_ptr<Sanitizer> made = std::make_unique<T>(Host(host), Config(config));
            *self = made.release();
            return BK_OK;
        });
    }
    static void destroy(void* self) noexcept { delete as(self); }
    static bk_status expression(void* self, const char* dialect, const char* column, bk_text_fn fn,
                                void* ctx, bk_error* error) noexcept {
        return guard(error,
                     [&] { return Emit(fn, ctx)(as(self)->expression(dialect, column)), BK_OK; });
    }
    static bk_status suggest(void* self, const char* column, int32_t* score,
                             bk_error* error) noexcept {
        return guard(error, [&] { return *score = as(self)->suggest(column), BK_OK; });
    }

    static constexpr bk_sanitizer table{sizeof(bk_sanitizer), 0,      create, destroy,
                                        expression,           suggest};
};

/// The driver's constant description.
template <class T>
constexpr bk_component
sanitizer_component(const DriverInfo& info,
                    const void* (*get_extension)(const char*) noexcept = nullptr) {
    return {sizeof(bk_component),
            info.thread_model,
            info.name,
            BK_SANITIZER_ID,
            info.summary,
            info.options.data(),
            static_cast<uint32_t>(info.options.size()),
            0,
            info.schemes,
            &sanitizer<T>::table,
            get_extension};
}

} // namespace bk::inline v0
