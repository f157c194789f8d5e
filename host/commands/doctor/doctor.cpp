// bkhost doctor: everything that a backup needs, without one.
#include "host/commands/commands.hpp"
#include "host/commands/doctor/checks.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"

#include <algorithm>

namespace bkhost {
namespace {

template <class Named>
void add_once(std::vector<Named>& to, const Named& one) {
    if (std::ranges::find(to, one.name, &Named::name) == to.end()) to.push_back(one);
}

/// A name that a job gets wrong is a finding of the configuration's check and left out here.
template <class Named>
void add_named(std::vector<Named>& to, const std::vector<Named>& all, const std::string& name) {
    for (const Named& one : all)
        if (one.name == name) add_once(to, one);
}

DoctorScope scope_of(const Config& config, const std::vector<std::string>& names) {
    if (names.empty()) return {config.jobs, config.sources, config.storages};
    DoctorScope scope;
    for (const std::string& name : names)
        add_once(scope.jobs, config.job(name));
    for (const JobConfig& job : scope.jobs) {
        add_named(scope.sources, config.sources, job.source);
        for (const std::string& store : job.store)
            add_named(scope.storages, config.storages, store);
    }
    return scope;
}

void look_at_all(Session& session, const std::vector<std::string>& jobs, DoctorReport& report) {
    const Config* config = nullptr;
    try {
        config = &session.config();
    } catch (const bk::Error& error) {
        report.fail("configuration", error); // nothing else can be told without it
        return;
    }
    const DoctorScope scope = scope_of(*config, jobs);
    check_configuration(session, report);
    check_plugins(session, scope, report);
    check_catalog(session, report);
    check_tools(session, scope, report);
    const ProbedSources sources = check_sources(session, scope, report);
    check_storages(session, scope, sources, report);
    check_keys(session, scope, report);
    check_machine(session, scope, report);
}

} // namespace

int doctor_command(Session& session, const std::vector<std::string>& jobs) {
    DoctorReport report;
    look_at_all(session, jobs, report);
    print(session.options().json ? report.json() + "\n" : report.text());
    return report.count(Health::fail) == 0 ? kExitDone : kExitFailed;
}

} // namespace bkhost
