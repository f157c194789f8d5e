#include "host/commands/doctor/checks.hpp"

namespace bkhost {

void check_configuration(Session& session, DoctorReport& report) {
    const Config& config = session.config();
    if (config.path.empty()) {
        report.warn("configuration", "there is none: only 'run --from' can back anything up",
                    "write one with 'bkhost init'");
        return;
    }
    const std::vector<ConfigProblem> problems = check_config(config, session.registry());
    for (const ConfigProblem& problem : problems)
        report.fail("configuration",
                    problem.file + ":" + std::to_string(problem.line) + ": " + problem.what,
                    problem.hint);
    if (problems.empty())
        report.ok("configuration", "'" + config.path + "': " + std::to_string(config.jobs.size()) +
                                       " jobs, environment '" + config.environment + "' (from " +
                                       config.environment_origin + ")");
}

} // namespace bkhost
