// The compressor and the encryptor "faulty". A restore gives a codec no options, so the driver
// inside can also be named by an environment variable, and the archive's suffix by that alone.
#include "faulty_drivers.hpp"
#include "wrapped_driver.hpp"
#include "wrapper.hpp"

#include <bkhost/transform.hpp>

namespace faults {
namespace {

constexpr Function kFunctions[] = {{"create"}, {"process", kFlip | kShort}};

struct FaultyTransform {
    FaultyTransform(const bk_host* host, bk::Config config, int32_t way, const char* id,
                    const char* variable, FaultPlan& plan)
        : wrapped(config, id, variable), table(wrapped.table<bk_transform>()),
          wrapper(bk::Host(host), plan), direction(way == BK_FORWARD ? "forward" : "reverse") {
        bk_error error = bk::empty_error();
        const bk_status status = table.create(host, wrapped.config(), way, &inner, &error);
        if (status != BK_OK) bk::throw_error(status, error);
    }
    ~FaultyTransform() {
        if (inner != nullptr) table.destroy(inner);
    }
    FaultyTransform(const FaultyTransform&) = delete;
    FaultyTransform& operator=(const FaultyTransform&) = delete;

    template <class Table>
    [[nodiscard]] const Table& extension(const char* id) const {
        const Table* found = wrapped.extension<Table>(id);
        if (found == nullptr)
            throw bk::Error(BK_E_UNSUPPORTED, std::string("the driver inside has no ") + id);
        return *found;
    }

    WrappedDriver wrapped;
    const bk_transform& table;
    Wrapper wrapper;
    const std::string_view direction;
    void* inner = nullptr;
    uint64_t taken = 0;
};

FaultyTransform& of(void* self) { return *static_cast<FaultyTransform*>(self); }

/// The functions of a kind, with what tells the two kinds apart.
template <const char* const& Id, const char* const& Variable>
struct Kind {
    static bk_status create(const bk_host* host, const bk_config* values, int32_t direction,
                            void** self, bk_error* error) noexcept {
        return bk::guard(error, [&] {
            const bk::Config config(values);
            FaultPlan& plan = FaultPlan::of(config, Id, kFunctions);
            Wrapper first(bk::Host(host), plan);
            const Call call{"create", direction == BK_FORWARD ? "forward" : "reverse"};
            return first.run(call, error, [&](const Verdict&) {
                *self =
                    std::make_unique<FaultyTransform>(host, config, direction, Id, Variable, plan)
                        .release();
                return BK_OK;
            });
        });
    }
    static uint64_t memory(const bk_config* values, int32_t direction,
                           uint64_t frame_size) noexcept {
        uint64_t bytes = 0; // create says what is wrong with the options
        (void)bk::guard(nullptr, [&] {
            const WrappedDriver wrapped(bk::Config(values), Id, Variable);
            bytes = wrapped.table<bk_transform>().memory(wrapped.config(), direction, frame_size);
            return BK_OK;
        });
        return bytes;
    }
    static const void* by_variable(const char* id) noexcept {
        return extension_by_variable(Variable, Id, id);
    }
};

void destroy(void* self) noexcept { delete static_cast<FaultyTransform*>(self); }

bk_status process(void* self, bk_in* in, bk_out* out, int32_t op, bk_error* error) noexcept {
    FaultyTransform& codec = of(self);
    const Call call{"process", codec.direction, codec.taken, in->len - in->pos};
    return codec.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
        const size_t taken = in->pos, given = out->pos;
        const bk_status status = codec.table.process(codec.inner, in, out, op, error);
        codec.taken += in->pos - taken;
        const size_t size = out->pos - given;
        if (verdict.flip && size > 0) out->data[given + size / 2] ^= 0x10;
        if (verdict.shorten) out->pos = given + size / 2;
        return status;
    });
}

void interrupt(void* self) noexcept {
    FaultyTransform& codec = of(self);
    codec.wrapper.interrupt();
    if (BK_HAS(&codec.table, bk_transform, interrupt)) codec.table.interrupt(codec.inner);
}

constexpr const char* kCompressorId = BK_COMPRESSOR_ID;
constexpr const char* kEncryptorId = BK_ENCRYPTOR_ID;
constexpr const char* kCompressorVariable = "BKHOST_FAULTY_COMPRESSOR";
constexpr const char* kEncryptorVariable = "BKHOST_FAULTY_ENCRYPTOR";
using Compressor = Kind<kCompressorId, kCompressorVariable>;
using Cipher = Kind<kEncryptorId, kEncryptorVariable>;

template <class Of>
constexpr bk_transform kTable{sizeof(bk_transform), 0,        Of::create, destroy, process,
                              Of::memory,           interrupt};

// ---- extensions of the encryptor

const bk_encryptor_keys* keys_by_variable() noexcept {
    return static_cast<const bk_encryptor_keys*>(Cipher::by_variable(BK_ENCRYPTOR_KEYS_ID));
}

bk_status fingerprints(void* self, bk_text_fn fn, void* ctx, bk_error* error) noexcept {
    return bk::guard(error, [&] {
        return of(self)
            .extension<bk_encryptor_keys>(BK_ENCRYPTOR_KEYS_ID)
            .fingerprints(of(self).inner, fn, ctx, error);
    });
}

bk_status unnamed(bk_error* error) noexcept {
    return bk::store_error(error, BK_E_UNSUPPORTED, "faulty: no encryptor to ask",
                           std::string("name one in ") + kEncryptorVariable);
}

bk_status generate(bk_text_fn fn, void* ctx, bk_error* error) noexcept {
    const bk_encryptor_keys* keys = keys_by_variable();
    return keys == nullptr ? unnamed(error) : keys->generate(fn, ctx, error);
}

bk_status public_keys(const char* text, size_t len, bk_text_fn fn, void* ctx,
                      bk_error* error) noexcept {
    const bk_encryptor_keys* keys = keys_by_variable();
    return keys == nullptr ? unnamed(error) : keys->public_keys(text, len, fn, ctx, error);
}

uint64_t header_size(void* self) noexcept {
    const auto* seek = of(self).wrapped.extension<bk_encryptor_seek>(BK_ENCRYPTOR_SEEK_ID);
    return seek == nullptr ? 0 : seek->header_size(of(self).inner);
}

bk_status seek_to(void* self, uint64_t plain_offset, uint64_t* stored_offset, uint64_t* skip,
                  bk_error* error) noexcept {
    return bk::guard(error, [&] {
        return of(self)
            .extension<bk_encryptor_seek>(BK_ENCRYPTOR_SEEK_ID)
            .seek(of(self).inner, plain_offset, stored_offset, skip, error);
    });
}

uint64_t stored_end(void* self, uint64_t plain_end) noexcept {
    const auto* seek = of(self).wrapped.extension<bk_encryptor_seek>(BK_ENCRYPTOR_SEEK_ID);
    return seek == nullptr ? 0 : seek->stored_end(of(self).inner, plain_end);
}

constexpr bk_encryptor_keys kKeys{sizeof(bk_encryptor_keys), 0, fingerprints, generate,
                                  public_keys};
constexpr bk_encryptor_seek kSeek{sizeof(bk_encryptor_seek), 0, header_size, seek_to, stored_end};

const void* cipher_extension(const char* id) noexcept {
    const std::string_view wanted(id);
    if (wanted == BK_ENCRYPTOR_KEYS_ID) return &kKeys;
    if (wanted == BK_ENCRYPTOR_SEEK_ID) return &kSeek;
    return wanted == BK_TRANSFORM_FILE_ID ? Cipher::by_variable(id) : nullptr;
}

const void* codec_extension(const char* id) noexcept {
    return std::string_view(id) == BK_TRANSFORM_FILE_ID ? Compressor::by_variable(id) : nullptr;
}

} // namespace

constexpr bk_component kFaultyCompressor{sizeof(bk_component),
                                         BK_THREADS_PARALLEL,
                                         "faulty",
                                         BK_COMPRESSOR_ID,
                                         "another compressor, with faults: for tests",
                                         kWrapperOptions,
                                         std::size(kWrapperOptions),
                                         0,
                                         "faulty",
                                         &kTable<Compressor>,
                                         &codec_extension};

constexpr bk_component kFaultyEncryptor{sizeof(bk_component),
                                        BK_THREADS_PARALLEL,
                                        "faulty",
                                        BK_ENCRYPTOR_ID,
                                        "another encryptor, with faults: for tests",
                                        kWrapperOptions,
                                        std::size(kWrapperOptions),
                                        0,
                                        "faulty",
                                        &kTable<Cipher>,
                                        &cipher_extension};

} // namespace faults
