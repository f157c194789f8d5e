// The dumper "faulty": the calls of the dumper inside, of the sink it writes to and of the source
// it reads from.
#include "faulty_drivers.hpp"
#include "wrapped_driver.hpp"
#include "wrapper.hpp"

#include <bkhost/dumper.hpp>

namespace faults {
namespace {

constexpr Function kFunctions[] = {{"create"},
                                   {"probe"},
                                   {"inspect"},
                                   {"dump_begin"},
                                   {"plan", kDrop},
                                   {"dump", kDrop},
                                   {"section"},
                                   {"write", kFlip | kShort | kDrop},
                                   {"cut"},
                                   {"dump_end", kDrop},
                                   {"load_begin"},
                                   {"load", kDrop},
                                   {"source_read", kFlip | kTruncate},
                                   {"load_end", kDrop}};

struct FaultyDumper {
    FaultyDumper(const bk_host* host, bk::Config config, FaultPlan& plan)
        : wrapped(config, BK_DUMPER_ID, nullptr), table(wrapped.table<bk_dumper>()),
          wrapper(bk::Host(host), plan) {
        bk_error error = bk::empty_error();
        const bk_status status = table.create(host, wrapped.config(), &inner, &error);
        if (status != BK_OK) bk::throw_error(status, error);
    }
    ~FaultyDumper() {
        if (inner != nullptr) table.destroy(inner);
    }
    FaultyDumper(const FaultyDumper&) = delete;
    FaultyDumper& operator=(const FaultyDumper&) = delete;

    WrappedDriver wrapped;
    const bk_dumper& table;
    Wrapper wrapper;
    void* inner = nullptr;
};

FaultyDumper& of(void* self) { return *static_cast<FaultyDumper*>(self); }

/// Lies between the dumper inside and the host's sink. One thread a unit.
class FaultySink {
public:
    FaultySink(FaultyDumper& dumper, bk_dump_sink& outer)
        : dumper_(dumper), outer_(outer), table_{sizeof table_, outer.fragment_target,
                                                 this,          section,
                                                 write,         cut,
                                                 meta,          proof} {}
    [[nodiscard]] bk_dump_sink* get() noexcept { return &table_; }

private:
    static FaultySink& from(bk_dump_sink* sink) { return *static_cast<FaultySink*>(sink->ctx); }

    static bk_status section(bk_dump_sink* sink, const bk_section* one, bk_error* error) noexcept {
        FaultySink& self = from(sink);
        return self.dumper_.wrapper.run({"section", one->name}, error, [&](const Verdict&) {
            return self.outer_.section(&self.outer_, one, error);
        });
    }
    static bk_status write(bk_dump_sink* sink, const void* data, size_t len,
                           bk_error* error) noexcept {
        FaultySink& self = from(sink);
        const Call call{"write", {}, self.written_, len};
        self.written_ += len;
        return self.dumper_.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
            if (verdict.drop) return BK_OK;
            const std::vector<uint8_t> copy =
                verdict.flip ? flipped(data, len) : std::vector<uint8_t>();
            return self.outer_.write(&self.outer_, verdict.flip ? copy.data() : data,
                                     verdict.shorten ? len / 2 : len, error);
        });
    }
    static bk_status cut(bk_dump_sink* sink, const bk_fragment* one, bk_error* error) noexcept {
        FaultySink& self = from(sink);
        return self.dumper_.wrapper.run({"cut", {}, self.written_, 0}, error, [&](const Verdict&) {
            return self.outer_.cut(&self.outer_, one, error);
        });
    }
    static bk_status meta(bk_dump_sink* sink, const char* key, const char* json,
                          bk_error* error) noexcept {
        bk_dump_sink& outer = from(sink).outer_;
        return outer.meta(&outer, key, json, error);
    }
    static bk_status proof(bk_dump_sink* sink, const char* namespace_name, const char* table,
                           uint64_t rows, const uint64_t digest[2], bk_error* error) noexcept {
        bk_dump_sink& outer = from(sink).outer_;
        return outer.proof(&outer, namespace_name, table, rows, digest, error);
    }

    FaultyDumper& dumper_;
    bk_dump_sink& outer_;
    uint64_t written_ = 0;
    bk_dump_sink table_;
};

/// Lies between the host's source and the load inside.
class FaultySource {
public:
    FaultySource(FaultyDumper& dumper, bk_source& outer)
        : dumper_(dumper), outer_(outer), table_{sizeof table_, 0, this, read} {}
    [[nodiscard]] bk_source* get() noexcept { return &table_; }

private:
    static bk_status read(bk_source* source, void* buffer, size_t cap, size_t* got,
                          bk_error* error) noexcept {
        auto& self = *static_cast<FaultySource*>(source->ctx);
        *got = 0;
        if (self.ended_) return BK_END;
        return self.dumper_.wrapper.run(
            {"source_read", {}, 0, cap}, error, [&](const Verdict& verdict) -> bk_status {
                self.ended_ = verdict.truncate;
                if (verdict.truncate) return BK_END;
                const bk_status status = self.outer_.read(&self.outer_, buffer, cap, got, error);
                if (status == BK_OK && verdict.flip)
                    static_cast<uint8_t*>(buffer)[*got / 2] ^= 0x10;
                return status;
            });
    }

    FaultyDumper& dumper_;
    bk_source& outer_;
    bool ended_ = false;
    bk_source table_;
};

struct FaultySession {
    explicit FaultySession(FaultyDumper& of_dumper) : dumper(of_dumper) {}

    FaultyDumper& dumper;
    void* inner = nullptr;
};

bk_status create(const bk_host* host, const bk_config* values, void** self,
                 bk_error* error) noexcept {
    return bk::guard(error, [&] {
        const bk::Config config(values);
        FaultPlan& plan = FaultPlan::of(config, BK_DUMPER_ID, kFunctions);
        Wrapper first(bk::Host(host), plan);
        return first.run({"create"}, error, [&](const Verdict&) {
            *self = std::make_unique<FaultyDumper>(host, config, plan).release();
            return BK_OK;
        });
    });
}

void destroy(void* self) noexcept { delete static_cast<FaultyDumper*>(self); }

void interrupt(void* self) noexcept {
    of(self).wrapper.interrupt();
    of(self).table.interrupt(of(self).inner);
}

bk_status probe(void* self, bk_text_fn fn, void* ctx, bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    return dumper.wrapper.run({"probe"}, error, [&](const Verdict&) {
        return dumper.table.probe(dumper.inner, fn, ctx, error);
    });
}

bk_status inspect(void* self, const char* request, bk_text_fn fn, void* ctx,
                  bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    return dumper.wrapper.run({"inspect"}, error, [&](const Verdict&) {
        return dumper.table.inspect(dumper.inner, request, fn, ctx, error);
    });
}

bk_status dump_begin(void* self, const char* request, bk_text_fn fn, void* ctx,
                     bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    return dumper.wrapper.run({"dump_begin"}, error, [&](const Verdict&) {
        return dumper.table.dump_begin(dumper.inner, request, fn, ctx, error);
    });
}

bk_status plan(void* self, bk_unit_fn fn, void* ctx, bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    return dumper.wrapper.run({"plan"}, error, [&](const Verdict& verdict) -> bk_status {
        return verdict.drop ? bk_status{BK_OK} : dumper.table.plan(dumper.inner, fn, ctx, error);
    });
}

bk_status dump(void* self, uint32_t number, bk_dump_sink* sink, bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    return bk::guard(error, [&] {
        const std::string unit = std::to_string(number);
        return dumper.wrapper.run({"dump", unit}, error, [&](const Verdict& verdict) -> bk_status {
            if (verdict.drop) return BK_OK;
            FaultySink faulty(dumper, *sink);
            return dumper.table.dump(dumper.inner, number, faulty.get(), error);
        });
    });
}

bk_status dump_end(void* self, int32_t ok, bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    const Call call{"dump_end", ok != 0 ? "ok" : "failed"};
    return dumper.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
        return dumper.table.dump_end(dumper.inner, verdict.drop ? 0 : ok, error);
    });
}

bk_status load_begin(void* self, const char* request, void** handle, uint32_t* parallel,
                     bk_error* error) noexcept {
    FaultyDumper& dumper = of(self);
    std::unique_ptr<FaultySession> session;
    const bk_status status = dumper.wrapper.run({"load_begin"}, error, [&](const Verdict&) {
        session = std::make_unique<FaultySession>(dumper);
        return dumper.table.load_begin(dumper.inner, request, &session->inner, parallel, error);
    });
    if (status == BK_OK) {
        *handle = session.release();
    } else if (session && session->inner != nullptr) {
        bk_error none = bk::empty_error(); // the injected error is the one to report
        (void)dumper.table.load_end(session->inner, 0, &none);
    }
    return status;
}

bk_status loaded(void* handle, bk_loaded_fn fn, void* ctx, bk_error* error) noexcept {
    const auto& session = *static_cast<FaultySession*>(handle);
    const bk_dumper& table = session.dumper.table;
    return table.loaded == nullptr ? bk_status{BK_OK} : table.loaded(session.inner, fn, ctx, error);
}

bk_status load(void* handle, const bk_load_unit* unit, bk_source* source,
               bk_error* error) noexcept {
    const auto& session = *static_cast<FaultySession*>(handle);
    const Call call{"load", unit->section.name, unit->section_offset, unit->size};
    return session.dumper.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
        if (verdict.drop) return BK_OK;
        FaultySource faulty(session.dumper, *source);
        return session.dumper.table.load(session.inner, unit, faulty.get(), error);
    });
}

bk_status load_end(void* handle, int32_t ok, bk_error* error) noexcept {
    const std::unique_ptr<FaultySession> session(static_cast<FaultySession*>(handle));
    const bk_dumper& table = session->dumper.table;
    bool ended = false;
    const Call call{"load_end", ok != 0 ? "ok" : "failed"};
    const bk_status status =
        session->dumper.wrapper.run(call, error, [&](const Verdict& verdict) -> bk_status {
            ended = true;
            return table.load_end(session->inner, verdict.drop ? 0 : ok, error);
        });
    if (!ended) { // the session ends in every case
        bk_error none = bk::empty_error();
        (void)table.load_end(session->inner, 0, &none);
    }
    return status;
}

constexpr bk_dumper kTable{sizeof(bk_dumper), 0,    create, destroy,  interrupt,  probe,  inspect,
                           dump_begin,        plan, dump,   dump_end, load_begin, loaded, load,
                           load_end};

} // namespace

constexpr bk_component kFaultyDumper{sizeof(bk_component),
                                     BK_THREADS_PARALLEL,
                                     "faulty",
                                     BK_DUMPER_ID,
                                     "another dumper, with faults: for tests",
                                     kWrapperOptions,
                                     std::size(kWrapperOptions),
                                     0,
                                     "faulty",
                                     &kTable,
                                     nullptr};

} // namespace faults
