// What the plugin boundary costs: backs a SQLite database up as the host would, counts the calls
// that cross the boundary, measures what one call costs beyond the work that it asks for, and
// prints both with the share of the run as JSON. Not a measurement of throughput: run.py does that.
//
//     abi_calls PROGRAM PLUGIN_DIR DATABASE FOLDER
#include "core/catalog/catalog.hpp"
#include "core/driver/codec.hpp"
#include "core/job/backup.hpp"
#include "host/plugins/plugin_registry.hpp"
#include "tests/bench/counting_registry.hpp"

#include <bkhost/dumper.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <iostream>

#include <sys/resource.h>

namespace bkhost::bench {
namespace {

double seconds_since(std::chrono::steady_clock::time_point began) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

double processor_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Nanoseconds of one call, over a million of them.
template <class Call>
double cost_of(Call&& call) {
    constexpr int kCalls = 1'000'000;
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i)
        call();
    return seconds_since(began) * 1e9 / kCalls;
}

/// A compressor that does nothing, so that what is left is the way there and back.
bk_component idle_compressor() {
    static const bk_transform table = [] {
        bk_transform t{};
        t.struct_size = sizeof t;
        t.create = [](const bk_host*, const bk_config*, int32_t, void** self, bk_error*) noexcept {
            static int instance = 0;
            *self = &instance;
            return bk_status{BK_OK};
        };
        t.destroy = [](void*) noexcept {};
        t.process = [](void*, bk_in*, bk_out*, int32_t, bk_error*) noexcept {
            return bk_status{BK_END};
        };
        t.memory = [](const bk_config*, int32_t, uint64_t) noexcept { return uint64_t{0}; };
        return t;
    }();
    bk_component component{};
    component.struct_size = sizeof component;
    component.thread_model = BK_THREADS_PARALLEL;
    component.name = "idle";
    component.interface_id = BK_COMPRESSOR_ID;
    component.vtable = &table;
    return component;
}

double cost_of_process(const Services& services) {
    const bk_component component = idle_compressor();
    DriverDescription description;
    description.kind = "compressor";
    description.name = "idle";
    Codec codec(
        std::make_shared<const DriverSetup>(description, &component, OptionValues({}, {}, "idle")),
        services, BK_FORWARD);
    bk_in in{};
    bk_out out{};
    return cost_of([&] { (void)codec.process(in, out, BK_FINISH); });
}

/// Of a call into the host's sink, by the wrapper that drivers use.
double cost_of_sink() {
    bk_dump_sink sink{};
    sink.struct_size = sizeof sink;
    sink.write = [](bk_dump_sink* self, const void*, size_t, bk_error* error) noexcept {
        return bk::guard(error, [&] { return self->ctx = self, bk_status{BK_OK}; });
    };
    bk::Sink face(&sink);
    return cost_of([&] { face.write(nullptr, 0); });
}

BackupRequest request_for(const std::string& database, const std::string& folder) {
    BackupRequest request;
    request.source_name = "shop";
    request.environment = "bench";
    request.source = {"sqlite", {{"path", {database}}, {"row-proof", {"false"}}}};
    request.compress = {"zstd", {{"level", {"3"}}}};
    request.storages = {{"here", {"local", {{"path", {folder + "/store"}}}}}};
    return request;
}

int run(const std::string& program, const std::string& plugins, const std::string& database,
        const std::string& folder) {
    std::filesystem::create_directories(folder);
    NullLog log;
    RunObserver observer;
    PluginRegistry plain({.cli_dirs = {plugins}, .scan_executable = program, .log = log});
    CountingRegistry registry(plain);
    Catalog catalog(folder + "/catalog.db");
    const JobContext context{.registry = registry,
                             .catalog = catalog,
                             .log = log,
                             .observer = observer,
                             .stop = {},
                             .program = "bench",
                             .host_name = "bench",
                             .initiated_by = "bench"};
    const double before = processor_seconds();
    (void)run_backup(context, request_for(database, folder));
    const double spent = processor_seconds() - before;

    const Services services(log, {});
    const double process = cost_of_process(services);
    const double sink = cost_of_sink();
    const double host = cost_of([&] { (void)services.host()->is_cancelled(services.host()); });
    const CallCounts counts = CountingRegistry::counts();
    const double all = (static_cast<double>(counts.process + counts.part) * process +
                        static_cast<double>(counts.write + counts.cut) * sink +
                        static_cast<double>(counts.is_cancelled + counts.progress) * host) *
                       1e-9;
    std::cout << nlohmann::json{{"calls",
                                 {{"process", counts.process},
                                  {"write", counts.write},
                                  {"cut", counts.cut},
                                  {"part", counts.part},
                                  {"is_cancelled", counts.is_cancelled},
                                  {"progress", counts.progress}}},
                                {"ns", {{"process", process}, {"sink", sink}, {"host", host}}},
                                {"processor_s", spent},
                                {"boundary_s", all},
                                {"share", all / spent}}
              << '\n';
    plain.shutdown();
    return 0;
}

} // namespace
} // namespace bkhost::bench

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: abi_calls PROGRAM PLUGIN_DIR DATABASE FOLDER\n";
        return 2;
    }
    try {
        return bkhost::bench::run(argv[1], argv[2], argv[3], argv[4]);
    } catch (const std::exception& error) {
        std::cerr << "abi_calls: " << error.what() << '\n';
        return 1;
    }
}
