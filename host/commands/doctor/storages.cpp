#include "core/base/text.hpp"
#include "core/driver/storage.hpp"
#include "core/job/preflight.hpp"
#include "host/commands/doctor/checks.hpp"

#include <algorithm>
#include <cstdlib>

namespace bkhost {
namespace {

constexpr int64_t kSkewMs = 5'000;

/// What the jobs bring to one storage.
struct Load {
    std::vector<std::string> paths; ///< of file sources: it must not lie in one
    uint64_t bytes = 0;             ///< plain, of all of them
};

Load load_of(const DoctorScope& scope, const ProbedSources& sources, const std::string& storage) {
    Load load;
    for (const JobConfig& job : scope.jobs) {
        const auto source = sources.find(job.source);
        if (source == sources.end() || std::ranges::find(job.store, storage) == job.store.end())
            continue;
        load.bytes += source->second.size;
        if (!source->second.path.empty()) load.paths.push_back(source->second.path);
    }
    return load;
}

/// Answers, and lies in none of the sources.
void probe(Storage& storage, const Load& load) {
    if (load.paths.empty()) storage.probe("");
    for (const std::string& path : load.paths)
        storage.probe(path);
}

/// What it was tried for, as the end of a sentence.
std::string attempt(Session& session, Storage& storage, const std::string& object,
                    DoctorReport& report) {
    if (!may_be_tried(storage))
        return "not written to, since nothing can be removed there for a time";
    const Clock& clock = Clock::system();
    const std::string key = session.config().environment + "/.doctor-" + make_id(clock);
    const std::optional<int64_t> skew = try_all(storage, key, clock);
    if (skew && std::abs(*skew) > kSkewMs)
        report.warn(object,
                    "its clock is " + format_duration(std::abs(*skew)) +
                        (*skew > 0 ? " ahead of" : " behind") + " this machine's",
                    "set both by NTP: how old objects are is told by them");
    return "takes objects and gives them back";
}

void check_space(Storage& storage, const Load& load, const std::string& object,
                 DoctorReport& report, std::string& text) {
    const std::optional<uint64_t> free = storage.free_space();
    if (!free) return;
    text += ", " + format_bytes(*free) + " free";
    if (*free < load.bytes)
        report.warn(object,
                    format_bytes(*free) + " are free, and the databases that go there have " +
                        format_bytes(load.bytes) + " uncompressed",
                    "free space there, or look whether they compress well enough");
}

} // namespace

void check_storages(Session& session, const DoctorScope& scope, const ProbedSources& sources,
                    DoctorReport& report) {
    for (const StorageConfig& config : scope.storages) {
        const std::string object = "storage '" + config.name + "'";
        try {
            const Load load = load_of(scope, sources, config.name);
            Services services(session.log(), session.stop());
            Storage storage(
                config.name,
                set_up(session.registry(), kStorage, session.spec(kStorage, config.block), object),
                services);
            probe(storage, load);
            std::string text = attempt(session, storage, object, report);
            check_space(storage, load, object, report, text);
            report.ok(object, text);
        } catch (const bk::Error& error) {
            report.fail(object, error);
        }
    }
}

} // namespace bkhost
