#include "core/base/text.hpp"
#include "host/commands/doctor/checks.hpp"

#include <algorithm>
#include <fstream>
#include <optional>

namespace bkhost {
namespace {

constexpr uint64_t kBesideTheBudget = uint64_t{64} << 20; // what a run takes beside it, at most
constexpr std::string_view kFirstYear = "2025-01-01T00:00:00Z", kLastYear = "2100-01-01T00:00:00Z";

struct Memory {
    uint64_t total = 0, available = 0; ///< bytes; 0 unknown
};

/// Of /proc/meminfo, in bytes.
uint64_t meminfo(const std::string& name) {
    std::ifstream file("/proc/meminfo");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name + ":"))
            return std::strtoull(line.c_str() + name.size() + 1, nullptr, 10) * 1024;
    return 0;
}

/// A number in a file of the control group; nothing for "max" and where there is none.
std::optional<uint64_t> group_value(const char* path) {
    std::ifstream file(path);
    std::string word;
    if (!(file >> word)) return std::nullopt;
    const std::optional<int64_t> value = parse_int(word);
    if (!value || *value < 0) return std::nullopt;
    return static_cast<uint64_t>(*value);
}

/// Of the machine, or of the container that this runs in.
Memory machine_memory() {
    Memory memory{meminfo("MemTotal"), meminfo("MemAvailable")};
    if (const auto limit = group_value("/sys/fs/cgroup/memory.max")) {
        const uint64_t used = group_value("/sys/fs/cgroup/memory.current").value_or(0);
        memory.total = std::min(memory.total, *limit);
        memory.available = std::min(memory.available, *limit > used ? *limit - used : 0);
    }
    return memory;
}

void check_memory(const Config& config, const DoctorScope& scope, DoctorReport& report) {
    uint64_t budget = scope.jobs.empty() ? config.memory : 0;
    for (const JobConfig& job : scope.jobs)
        budget = std::max(budget, job.memory > 0 ? job.memory : config.memory);
    const Memory memory = machine_memory();
    const std::string text = "a run may take " + format_bytes(budget + kBesideTheBudget) + " of " +
                             format_bytes(memory.total) + ", " + format_bytes(memory.available) +
                             " are available";
    if (memory.total > 0 && budget + kBesideTheBudget > memory.total)
        report.fail("memory", text, "lower 'memory' in the configuration");
    else if (memory.total > 0 && budget + kBesideTheBudget > memory.available)
        report.warn("memory", text, "lower 'memory' in the configuration, or free some");
    else
        report.ok("memory", text);
}

void check_clock(const Clock& clock, DoctorReport& report) {
    const TimeMs now = clock.now();
    const int64_t first = clock.monotonic_ms(), second = clock.monotonic_ms();
    if (now < *parse_time(kFirstYear) || now > *parse_time(kLastYear))
        report.fail("clock", "it is " + format_time(now) + " by this machine's clock",
                    "set it: the names of backups and their age go by it");
    else if (second < first)
        report.fail("clock", "the monotonic clock goes backwards",
                    "look at the machine or its hypervisor: time limits and leases go by it");
    else
        report.ok("clock", format_time(now).substr(0, 19) + "Z");
}

} // namespace

void check_machine(Session& session, const DoctorScope& scope, DoctorReport& report) {
    check_clock(Clock::system(), report);
    check_memory(session.config(), scope, report);
}

} // namespace bkhost
