#include "tests/bench/counting_registry.hpp"

#include <bkhost/dumper.h>
#include <bkhost/storage.h>
#include <bkhost/transform.h>

#include <atomic>

namespace bkhost::bench {
namespace {

// The slots have no room for a context, so what they need is global: this is a program of its own.
struct {
    std::atomic<uint64_t> process, write, cut, part, is_cancelled, progress;
} calls;
const bk_host* host = nullptr;
const bk_transform* compressor = nullptr;
const bk_dumper* dumper = nullptr;
const bk_storage* storage = nullptr;

const bk_host* counted(const bk_host* real) noexcept {
    static bk_host copy;
    host = real; // one job, so one set of services
    copy = *real;
    copy.is_cancelled = [](const bk_host*) noexcept {
        return ++calls.is_cancelled, host->is_cancelled(host);
    };
    copy.progress = [](const bk_host*, uint64_t done, uint64_t total) noexcept {
        ++calls.progress, host->progress(host, done, total);
    };
    return &copy;
}

/// The dumper's sink, with the real one behind it.
struct CountedSink {
    bk_dump_sink face{};
    bk_dump_sink* real;

    explicit CountedSink(bk_dump_sink* sink) : face(*sink), real(sink) {
        face.ctx = this;
        face.section = [](bk_dump_sink* s, const bk_section* section, bk_error* error) noexcept {
            return of(s)->section(of(s), section, error);
        };
        face.write = [](bk_dump_sink* s, const void* data, size_t size, bk_error* error) noexcept {
            return ++calls.write, of(s)->write(of(s), data, size, error);
        };
        face.cut = [](bk_dump_sink* s, const bk_fragment* fragment, bk_error* error) noexcept {
            return ++calls.cut, of(s)->cut(of(s), fragment, error);
        };
        face.meta = [](bk_dump_sink* s, const char* key, const char* json,
                       bk_error* error) noexcept { return of(s)->meta(of(s), key, json, error); };
        face.proof = [](bk_dump_sink* s, const char* space, const char* table, uint64_t rows,
                        const uint64_t digest[2], bk_error* error) noexcept {
            return of(s)->proof(of(s), space, table, rows, digest, error);
        };
    }
    static bk_dump_sink* of(bk_dump_sink* sink) noexcept {
        return static_cast<CountedSink*>(sink->ctx)->real;
    }
};

bk_transform counted_compressor() {
    bk_transform table = *compressor;
    table.process = [](void* self, bk_in* in, bk_out* out, int32_t op, bk_error* error) noexcept {
        return ++calls.process, compressor->process(self, in, out, op, error);
    };
    return table;
}

bk_dumper counted_dumper() {
    bk_dumper table = *dumper;
    table.create = [](const bk_host* real, const bk_config* config, void** self,
                      bk_error* error) noexcept {
        return dumper->create(counted(real), config, self, error);
    };
    table.dump = [](void* self, uint32_t number, bk_dump_sink* sink, bk_error* error) noexcept {
        CountedSink counting(sink);
        return dumper->dump(self, number, &counting.face, error);
    };
    return table;
}

bk_storage counted_storage() {
    bk_storage table = *storage;
    table.upload_part = [](void* upload, bk_part* part, const void* data,
                           bk_error* error) noexcept {
        return ++calls.part, storage->upload_part(upload, part, data, error);
    };
    return table;
}

/// `table` as a driver: what `real` is, with another table.
template <class Table>
const bk_component& replaced(const bk_component& real, const Table*& place, Table (*make)()) {
    static bk_component component;
    static Table table;
    place = static_cast<const Table*>(real.vtable);
    table = make();
    component = real;
    component.vtable = &table;
    return component;
}

} // namespace

const bk_component& CountingRegistry::load(std::string_view kind, std::string_view name) {
    const bk_component& real = inner_.load(kind, name);
    if (kind == kDumper) return replaced(real, dumper, &counted_dumper);
    if (kind == kStorage) return replaced(real, storage, &counted_storage);
    if (kind == kCompressor) return replaced(real, compressor, &counted_compressor);
    return real;
}

CallCounts CountingRegistry::counts() noexcept {
    return {calls.process, calls.write, calls.cut, calls.part, calls.is_cancelled, calls.progress};
}

} // namespace bkhost::bench
