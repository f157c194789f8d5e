// The checks of bkhost doctor. Each looks at one thing, reports what it found, and goes on when
// something fails; none starts a backup, and none leaves anything behind.
#pragma once

#include "host/commands/doctor/report.hpp"
#include "host/commands/session.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace bkhost {

/// What is looked at: everything in the configuration, or what some jobs need.
struct DoctorScope {
    std::vector<JobConfig> jobs;
    std::vector<SourceConfig> sources;
    std::vector<StorageConfig> storages;
};

/// What a source told of itself.
struct ProbedSource {
    std::string path;  ///< "" when it is no file
    uint64_t size = 0; ///< bytes; 0 unknown
};
using ProbedSources = std::map<std::string, ProbedSource>; ///< by name

/// Files that are broken, refused or shadowed; a failure when the scope needs one of their drivers.
void check_plugins(Session& session, const DoctorScope& scope, DoctorReport& report);
/// Keys, references, values, secrets that others can read.
void check_configuration(Session& session, DoctorReport& report);
/// Opens, can be written to, is whole; what dead processes left. Makes no catalog where none is.
void check_catalog(Session& session, DoctorReport& report);
/// Programs that open an archive without bkhost.
void check_tools(Session& session, const DoctorScope& scope, DoctorReport& report);
/// Each answers; version, size, warnings.
[[nodiscard]] ProbedSources check_sources(Session& session, const DoctorScope& scope,
                                          DoctorReport& report);
/// Each answers, takes a tiny object and gives it back; its clock, its free space.
void check_storages(Session& session, const DoctorScope& scope, const ProbedSources& sources,
                    DoctorReport& report);
/// What each job encrypts can be decrypted, where identities are configured.
void check_keys(Session& session, const DoctorScope& scope, DoctorReport& report);
/// The clock and the memory of this machine.
void check_machine(Session& session, const DoctorScope& scope, DoctorReport& report);

} // namespace bkhost
