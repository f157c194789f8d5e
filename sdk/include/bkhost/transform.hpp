// Compressors and encryptors as C++ classes. The contract of process() is in transform.h.
#pragma once

#include <bkhost/plugin.hpp>
#include <bkhost/transform.h>

#include <concepts>

namespace bk::inline v0 {

enum class Direction : int32_t { forward = BK_FORWARD, reverse = BK_REVERSE };
enum class Op : int32_t { run = BK_RUN, flush = BK_FLUSH, finish = BK_FINISH, frame = BK_FRAME };

/// A codec. Confined to one thread but for interrupt().
class Transform {
public:
    Transform() = default;
    Transform(const Transform&) = delete;
    Transform& operator=(const Transform&) = delete;
    virtual ~Transform() = default;
    /// BK_OK, BK_NEED_OUTPUT or BK_END; throws bk::Error.
    virtual bk_status process(bk_in& in, bk_out& out, Op op) = 0;
    virtual void interrupt() noexcept {}
};

/// A cipher: a codec with keys and a way in at any offset.
class Encryptor : public Transform {
public:
    [[nodiscard]] virtual std::vector<std::string> fingerprints() = 0;
    [[nodiscard]] virtual uint64_t header_size() noexcept = 0;
    struct Position {
        uint64_t stored_offset; ///< the next byte that process() takes
        uint64_t skip;          ///< bytes of its output that lie before the wanted offset
    };
    virtual Position seek(uint64_t plain_offset) = 0;
    [[nodiscard]] virtual uint64_t stored_end(uint64_t plain_end) noexcept = 0;
};

/// T is a codec driver: constructed from host, configuration and direction, and able to tell the
/// memory of one instance (an upper bound in bytes).
template <class T>
concept TransformDriver = std::derived_from<T, Transform> &&
    std::constructible_from<T, Host, Config, Direction> &&
    requires(Config config, Direction direction, uint64_t frame_size) {
    { T::memory(config, direction, frame_size) }
    noexcept->std::same_as<uint64_t>;
};

template <TransformDriver T>
struct transform {
    static bk_status create(const bk_host* host, const bk_config* config, int32_t direction,
                            void** self, bk_error* error) noexcept {
        return guard(error, [&] {
            std::unique_ptr<Transform> made =
                std::make_unique<T>(Host(host), Config(config), static_cast<Direction>(direction));
            *self = made.release();
            return BK_OK;
        });
    }
    static void destroy(void* self) noexcept { delete static_cast<Transform*>(self); }
    static bk_status process(void* self, bk_in* in, bk_out* out, int32_t op,
                             bk_error* error) noexcept {
        return guard(error, [&] {
            return static_cast<Transform*>(self)->process(*in, *out, static_cast<Op>(op));
        });
    }
    static uint64_t memory(const bk_config* config, int32_t direction, uint64_t size) noexcept {
        return T::memory(Config(config), static_cast<Direction>(direction), size);
    }
    static void interrupt(void* self) noexcept { static_cast<Transform*>(self)->interrupt(); }

    static constexpr bk_transform table{
        sizeof(bk_transform), 0, create, destroy, process, memory, interrupt};
};

/// Extension tables of an encryptor class; T::generate(Emit) and T::public_keys(string_view, Emit)
/// are static.
template <class T>
requires std::derived_from<T, Encryptor>
struct encryptor_extensions {
    static Encryptor* as(void* self) noexcept {
        return static_cast<Encryptor*>(static_cast<Transform*>(self));
    }
    static constexpr bk_encryptor_keys keys{
        sizeof(bk_encryptor_keys), 0,
        [](void* self, bk_text_fn fn, void* ctx, bk_error* error) noexcept {
            return guard(error, [&] {
                for (const std::string& text : as(self)->fingerprints())
                    Emit(fn, ctx)(text);
                return BK_OK;
            });
        },
        [](bk_text_fn fn, void* ctx, bk_error* error) noexcept {
            return guard(error, [&] { return T::generate(Emit(fn, ctx)), BK_OK; });
        },
        [](const char* text, size_t len, bk_text_fn fn, void* ctx, bk_error* error) noexcept {
            return guard(error, [&] {
                return T::public_keys(std::string_view(text, len), Emit(fn, ctx)), BK_OK;
            });
        }};
    static constexpr bk_encryptor_seek seek{
        sizeof(bk_encryptor_seek), 0, [](void* self) noexcept { return as(self)->header_size(); },
        [](void* self, uint64_t offset, uint64_t* stored, uint64_t* skip,
           bk_error* error) noexcept {
            return guard(error, [&] {
                const Encryptor::Position position = as(self)->seek(offset);
                *stored = position.stored_offset;
                *skip = position.skip;
                return BK_OK;
            });
        },
        [](void* self, uint64_t plain_end) noexcept { return as(self)->stored_end(plain_end); }};
};

/// The driver's constant description.
template <class T>
constexpr bk_component transform_component(const char* interface_id, const DriverInfo& info,
                                           const void* (*get_extension)(const char*) noexcept) {
    return {sizeof(bk_component),
            info.thread_model,
            info.name,
            interface_id,
            info.summary,
            info.options.data(),
            static_cast<uint32_t>(info.options.size()),
            0,
            info.schemes,
            &transform<T>::table,
            get_extension};
}

} // namespace bk::inline v0
