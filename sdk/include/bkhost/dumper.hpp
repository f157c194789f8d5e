// A dumper as C++ classes. The contract of each call is in dumper.h; here a failure is thrown.
#pragma once

#include <bkhost/dumper.h>
#include <bkhost/plugin.hpp>

#include <array>
#include <concepts>

namespace bk::inline v0 {

/// Where a unit writes. Confined to the thread of the unit. Throws CANCELLED once the job is
/// cancelled, or why the pipeline ended: let it pass.
class Sink {
public:
    explicit Sink(bk_dump_sink* sink) noexcept : sink_(sink) {}

    struct Section {
        uint32_t phase = BK_PHASE_DATA;
        uint32_t step = 0;
        uint32_t flags = 0;
        const char* kind = "";
        std::string namespace_name = {};
        std::string name = {};
        std::string depends = {};
        uint64_t size_hint = 0;
    };
    void section(const Section& s) {
        const bk_section section{sizeof(bk_section),
                                 s.phase,
                                 s.step,
                                 s.flags,
                                 s.kind,
                                 s.namespace_name.c_str(),
                                 s.name.c_str(),
                                 s.depends.c_str(),
                                 s.size_hint};
        check([&](bk_error* error) { return sink_->section(sink_, &section, error); });
    }
    void write(const void* data, size_t len) {
        check([&](bk_error* error) { return sink_->write(sink_, data, len, error); });
    }
    void write(std::string_view text) { write(text.data(), text.size()); }
    /// All since the last cut stands alone.
    void cut(uint64_t rows = 0, std::array<uint64_t, 2> digest = {}) {
        const bk_fragment fragment{sizeof(bk_fragment), 0, rows, {digest[0], digest[1]}};
        check([&](bk_error* error) { return sink_->cut(sink_, &fragment, error); });
    }
    void meta(const char* key, const std::string& json) {
        check([&](bk_error* error) { return sink_->meta(sink_, key, json.c_str(), error); });
    }
    void proof(const std::string& namespace_name, const std::string& table, uint64_t rows,
               std::array<uint64_t, 2> digest) {
        check([&](bk_error* error) {
            return sink_->proof(sink_, namespace_name.c_str(), table.c_str(), rows, digest.data(),
                                error);
        });
    }
    [[nodiscard]] uint32_t fragment_target() const noexcept { return sink_->fragment_target; }

private:
    template <class Call>
    void check(Call&& call) {
        bk_error error = empty_error();
        if (const bk_status status = call(&error); status != BK_OK) throw_error(status, error);
    }
    bk_dump_sink* sink_;
};

/// One load; load() may come from several threads when `parallel` says so.
class LoadSession {
public:
    virtual ~LoadSession() = default;
    virtual uint32_t parallel() noexcept { return 1; }
    virtual void load(const bk_load_unit& unit, Source source) = 0;
    using Loaded = std::function<void(uint64_t frame_no, uint64_t section_offset)>;
    /// What the target already holds of this archive, for resume; as it stands: nothing.
    virtual void loaded(const Loaded&) {}
    /// ok: check, make durable and visible. Otherwise leave the target as it was.
    virtual void end(bool ok) = 0;
};

class Dumper {
public:
    Dumper() = default;
    Dumper(const Dumper&) = delete;
    Dumper& operator=(const Dumper&) = delete;
    virtual ~Dumper() = default;

    virtual void interrupt() noexcept {}
    [[nodiscard]] virtual std::string probe() = 0;
    [[nodiscard]] virtual std::string inspect(const char* request) = 0;
    [[nodiscard]] virtual std::string dump_begin(const char* request) = 0;
    using Units = std::function<void(const bk_unit&)>;
    virtual void plan(const Units& unit) = 0;
    virtual void dump(uint32_t number, Sink sink) = 0;
    virtual void dump_end(bool ok) = 0;
    virtual std::unique_ptr<LoadSession> load_begin(const char* request) = 0;
};

template <class T>
concept DumperDriver = std::derived_from<T, Dumper> && std::constructible_from<T, Host, Config>;

template <DumperDriver T>
struct dumper {
    static Dumper* as(void* self) noexcept { return static_cast<Dumper*>(self); }
    static LoadSession* session(void* handle) noexcept { return static_cast<LoadSession*>(handle); }

    static bk_status create(const bk_host* host, const bk_config* config, void** self,
                            bk_error* error) noexcept {
        return guard(error, [&] {
            std::unique_ptr<Dumper> made = std::make_unique<T>(Host(host), Config(config));
            *self = made.release();
            return BK_OK;
        });
    }
    static void destroy(void* self) noexcept { delete as(self); }
    static void interrupt(void* self) noexcept { as(self)->interrupt(); }
    static bk_status probe(void* self, bk_text_fn fn, void* ctx, bk_error* error) noexcept {
        return guard(error, [&] { return Emit(fn, ctx)(as(self)->probe()), BK_OK; });
    }
    static bk_status inspect(void* self, const char* request, bk_text_fn fn, void* ctx,
                             bk_error* error) noexcept {
        return guard(error, [&] { return Emit(fn, ctx)(as(self)->inspect(request)), BK_OK; });
    }
    static bk_status dump_begin(void* self, const char* request, bk_text_fn fn, void* ctx,
                                bk_error* error) noexcept {
        return guard(error, [&] { return Emit(fn, ctx)(as(self)->dump_begin(request)), BK_OK; });
    }
    static bk_status plan(void* self, bk_unit_fn fn, void* ctx, bk_error* error) noexcept {
        return guard(error, [&] {
            as(self)->plan([&](const bk_unit& unit) {
                if (const bk_status status = fn(ctx, &unit); status != BK_OK)
                    throw Error(status, "the receiver of the plan gave up");
            });
            return BK_OK;
        });
    }
    static bk_status dump(void* self, uint32_t number, bk_dump_sink* sink,
                          bk_error* error) noexcept {
        return guard(error, [&] { return as(self)->dump(number, Sink(sink)), BK_OK; });
    }
    static bk_status dump_end(void* self, int32_t ok, bk_error* error) noexcept {
        return guard(error, [&] { return as(self)->dump_end(ok != 0), BK_OK; });
    }
    static bk_status load_begin(void* self, const char* request, void** handle, uint32_t* parallel,
                                bk_error* error) noexcept {
        return guard(error, [&] {
            LoadSession* made = internal::handle(as(self)->load_begin(request));
            *parallel = made->parallel();
            *handle = made;
            return BK_OK;
        });
    }
    static bk_status loaded(void* handle, bk_loaded_fn fn, void* ctx, bk_error* error) noexcept {
        return guard(error, [&] {
            session(handle)->loaded([&](uint64_t frame_no, uint64_t section_offset) {
                if (const bk_status status = fn(ctx, frame_no, section_offset); status != BK_OK)
                    throw Error(status, "the receiver of what is loaded gave up");
            });
            return BK_OK;
        });
    }
    static bk_status load(void* handle, const bk_load_unit* unit, bk_source* source,
                          bk_error* error) noexcept {
        return guard(error, [&] { return session(handle)->load(*unit, Source(source)), BK_OK; });
    }
    static bk_status load_end(void* handle, int32_t ok, bk_error* error) noexcept {
        const std::unique_ptr<LoadSession> owned(session(handle));
        return guard(error, [&] { return owned->end(ok != 0), BK_OK; });
    }

    static constexpr bk_dumper table{
        sizeof(bk_dumper), 0,    create, destroy,  interrupt,  probe,  inspect,
        dump_begin,        plan, dump,   dump_end, load_begin, loaded, load,
        load_end};
};

/// The driver's constant description.
template <class T>
constexpr bk_component
dumper_component(const DriverInfo& info,
                 const void* (*get_extension)(const char*) noexcept = nullptr) {
    return {sizeof(bk_component),
            info.thread_model,
            info.name,
            BK_DUMPER_ID,
            info.summary,
            info.options.data(),
            static_cast<uint32_t>(info.options.size()),
            0,
            info.schemes,
            &dumper<T>::table,
            get_extension};
}

} // namespace bk::inline v0
