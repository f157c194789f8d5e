#include "core/base/text.hpp"
#include "host/commands/doctor/checks.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unistd.h>

namespace bkhost {
namespace {

namespace fs = std::filesystem;

constexpr const char* kObject = "catalog";
constexpr uint64_t kLittleSpace = uint64_t{16} << 20; // rows of some thousand backups
constexpr TimeMs kClockSlack = 300'000;

/// The folder that will hold it, or the nearest one above that is there.
fs::path nearest_folder(const fs::path& file) {
    fs::path folder = fs::absolute(file).parent_path();
    std::error_code code;
    while (!fs::exists(folder, code) && folder.has_relative_path())
        folder = folder.parent_path();
    return folder;
}

void check_space(const std::string& folder, DoctorReport& report) {
    std::error_code code;
    const fs::space_info space = fs::space(folder, code);
    if (!code && space.available < kLittleSpace)
        report.warn(kObject, format_bytes(space.available) + " are free in '" + folder + "'",
                    "free space: a backup whose row cannot be written fails");
}

/// A write through the catalog's own door, taken back at once.
void check_writable(Catalog& catalog) {
    if (const std::optional<Lease> lease = catalog.try_acquire("doctor")) catalog.release(*lease);
}

void check_left_behind(const Catalog& catalog, DoctorReport& report) {
    size_t left = 0;
    for (const CopyRow& copy : catalog.copies(BackupFilter{})) {
        if (copy.state != CopyState::uploading) continue;
        const std::optional<BackupRow> row = catalog.backup(copy.backup_id);
        if (!row || is_active(row->state)) continue;
        ++left;
        report.warn("backup '" + copy.backup_id + "'",
                    "may have left objects on storage '" + copy.storage + "': " + copy.error,
                    "the next run or restore cleans up after it, once the storage answers");
    }
    for (const Lease& lease : catalog.expired_leases())
        if (!lease.name.starts_with("backup:") && !lease.name.starts_with("restore:"))
            report.warn(kObject, "the lease '" + lease.name + "' is held by a dead process",
                        "nothing: who needs it next takes it");
}

/// Rows whose process died are no damage: whoever runs next looks after them.
void check_content(const Catalog& catalog, DoctorReport& report) {
    std::set<std::string> orphans;
    for (const Orphan& orphan : catalog.orphans())
        orphans.insert(orphan.backup ? "backup '" + orphan.backup->id + "'"
                                     : "restore '" + orphan.restore->id + "'");
    for (const CatalogProblem& problem : catalog.check()) {
        if (orphans.contains(problem.object))
            report.warn(problem.object, problem.message, problem.hint);
        else
            report.fail(kObject, problem.object + ": " + problem.message, problem.hint);
    }
}

void check_times(const Catalog& catalog, DoctorReport& report) {
    const std::vector<BackupRow> newest = catalog.list({.limit = 1});
    if (!newest.empty() && newest.front().started_ms > Clock::system().now() + kClockSlack)
        report.warn("clock",
                    "backup '" + newest.front().id +
                        "' began in the future: the clock was set back",
                    "set the clock by NTP: 'latest' goes by the times of backups");
}

} // namespace

void check_catalog(Session& session, DoctorReport& report) {
    const std::string file = session.config().catalog_path;
    const std::string folder = nearest_folder(file);
    check_space(folder, report);
    std::error_code code;
    if (!fs::exists(file, code)) {
        if (::access(folder.c_str(), W_OK | X_OK) == 0)
            report.ok(kObject, "'" + file + "' is not there yet: the first run makes it");
        else
            report.fail(kObject, "'" + file + "' is not there and cannot be made",
                        "check the rights of '" + folder + "'");
        return;
    }
    try {
        Catalog catalog(file);
        check_writable(catalog);
        check_content(catalog, report);
        check_left_behind(catalog, report);
        check_times(catalog, report);
        report.ok(kObject, "'" + file + "': schema " + std::to_string(kCatalogSchema) + ", " +
                               std::to_string(catalog.list().size()) + " backups");
    } catch (const bk::Error& error) {
        report.fail(kObject, error);
    }
}

} // namespace bkhost
