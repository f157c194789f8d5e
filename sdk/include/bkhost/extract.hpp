// The extension of a dumper that takes single tables out of a dump. The contract is in extract.h;
// here a failure is thrown.
#pragma once

#include <bkhost/dumper.hpp>
#include <bkhost/extract.h>

namespace bk::inline v0 {

/// Random access to the bytes of a section. A view: valid during the call that it was given to.
class RandomSource {
public:
    explicit RandomSource(const bk_random_source* source) noexcept : source_(source) {}
    [[nodiscard]] uint64_t size() const noexcept { return source_->size; }
    /// Fills the buffer with the bytes from `offset` on.
    void read_at(uint64_t offset, std::span<uint8_t> buffer) const {
        bk_error error = empty_error();
        const bk_status status =
            source_->read_at(source_, offset, buffer.data(), buffer.size(), &error);
        if (status != BK_OK) throw_error(status, error);
    }
    [[nodiscard]] const bk_random_source* get() const noexcept { return source_; }

private:
    const bk_random_source* source_;
};

/// What a dumper class derives from besides bk::Dumper.
class TableExtractor {
public:
    virtual ~TableExtractor() = default;
    /// Names that `include` may hold.
    virtual void names(const char* request, RandomSource source, const Emit& name) = 0;
    /// Emits {"table":"users","rows":1234} for each.
    virtual void extract(const char* request, RandomSource source, const Emit& table) = 0;
};

/// The extension's table for a driver class T.
template <class T>
requires std::derived_from<T, Dumper> && std::derived_from<T, TableExtractor>
struct dumper_extract {
    static TableExtractor* as(void* self) noexcept {
        return static_cast<T*>(static_cast<Dumper*>(self));
    }
    static constexpr bk_dumper_extract table{
        sizeof(bk_dumper_extract), 0,
        [](void* self, const char* request, const bk_random_source* source, bk_text_fn fn,
           void* ctx, bk_error* error) noexcept {
            return guard(error, [&] {
                return as(self)->names(request, RandomSource(source), Emit(fn, ctx)), BK_OK;
            });
        },
        [](void* self, const char* request, const bk_random_source* source, bk_text_fn fn,
           void* ctx, bk_error* error) noexcept {
            return guard(error, [&] {
                return as(self)->extract(request, RandomSource(source), Emit(fn, ctx)), BK_OK;
            });
        }};
};

} // namespace bk::inline v0
