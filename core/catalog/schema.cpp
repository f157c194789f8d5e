// Schema and opening of the catalog file; see schema.hpp.
#include "core/catalog/schema.hpp"

#include "core/catalog/catalog.hpp"

#include <bkhost/error.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace bkhost::internal {
namespace {

// States have no CHECK: states.hpp is the only place that knows them, and check() compares.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE backups(
    id TEXT NOT NULL PRIMARY KEY,
    job TEXT NOT NULL,
    source TEXT NOT NULL,
    tenant TEXT NOT NULL,
    environment TEXT NOT NULL,
    type TEXT NOT NULL,
    engine TEXT NOT NULL,
    engine_version TEXT NOT NULL,
    format TEXT NOT NULL,
    state TEXT NOT NULL,
    archive_key TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    plain_size INTEGER NOT NULL,
    stored_size INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    tables INTEGER NOT NULL,
    files INTEGER NOT NULL,
    contents TEXT NOT NULL,
    warnings TEXT NOT NULL,
    compression TEXT NOT NULL,
    encryption TEXT NOT NULL,
    key_ids TEXT NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    host_name TEXT NOT NULL,
    initiated_by TEXT NOT NULL,
    notes TEXT NOT NULL,
    error TEXT NOT NULL,
    hint TEXT NOT NULL,
    retention TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    parent_id TEXT NOT NULL,
    bkhost_version TEXT NOT NULL
) STRICT;
CREATE INDEX backups_by_start ON backups(started_ms, id);
CREATE INDEX backups_by_state ON backups(state);

CREATE TABLE copies(
    backup_id TEXT NOT NULL REFERENCES backups(id),
    storage TEXT NOT NULL,
    location TEXT NOT NULL,
    state TEXT NOT NULL,
    size INTEGER NOT NULL,
    manifest_sha256 TEXT NOT NULL,
    verified_level TEXT NOT NULL,
    verified_ms INTEGER NOT NULL,
    verified_outcome TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY(backup_id, storage)
) STRICT;
CREATE INDEX copies_by_storage ON copies(storage, state);

CREATE TABLE restores(
    id TEXT NOT NULL PRIMARY KEY,
    backup_id TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    environment TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT NOT NULL,
    tables TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    host_name TEXT NOT NULL,
    initiated_by TEXT NOT NULL,
    notes TEXT NOT NULL,
    error TEXT NOT NULL,
    hint TEXT NOT NULL
) STRICT;
CREATE INDEX restores_by_start ON restores(started_ms, id);
CREATE INDEX restores_by_state ON restores(state);

CREATE TABLE leases(
    name TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    acquired_ms INTEGER NOT NULL,
    heartbeat_ms INTEGER NOT NULL,
    heartbeat_mono_ms INTEGER NOT NULL,
    ttl_ms INTEGER NOT NULL,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE counters(name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES('lease_epoch', 0);

CREATE TABLE events(
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    backup_id TEXT NOT NULL,
    restore_id TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events(at_ms);
)sql";

/// What every start asks for: copies that nobody has settled; and what a deletion asks for.
constexpr const char* kVersion2 = R"sql(
CREATE INDEX copies_by_state ON copies(state);
CREATE INDEX backups_by_parent ON backups(parent_id) WHERE parent_id <> '';
)sql";

constexpr std::array kMigrations{kVersion1, kVersion2};
static_assert(kMigrations.size() == kCatalogSchema);

/// The version of the file, after telling that it is one of ours (or empty). Wants a transaction:
/// what it reads must be of one state, or a catalog that another process is just making looks like
/// a stranger's.
int64_t checked_version(Database& database, const std::string& name, int64_t known) {
    const int64_t id = database.integer("PRAGMA application_id");
    const int64_t version = database.integer("PRAGMA user_version");
    const bool empty =
        id == 0 && version == 0 && database.integer("SELECT count(*) FROM sqlite_schema") == 0;
    if (!empty && id != kApplicationId)
        throw bk::Error(BK_E_CONFIG,
                        "'" + name + "' is an SQLite database, but not a bkhost catalog",
                        "give the catalog a file of its own");
    if (version > known)
        throw bk::Error(BK_E_CONFIG,
                        "catalog '" + name + "' has schema version " + std::to_string(version) +
                            "; this bkhost knows versions up to " + std::to_string(known),
                        "a newer bkhost wrote it: use that one, or another catalog file");
    return version;
}

/// Several processes may create the catalog at once, and SQLite answers BUSY at once (without its
/// own waiting) to some of them while the mode changes.
void set_wal_mode(Database& database, const std::string& name) {
    using namespace std::chrono;
    const auto deadline = steady_clock::now() + 10s;
    std::string mode;
    while (mode != "wal") {
        try {
            mode = database.text("PRAGMA journal_mode = WAL");
            if (mode != "wal")
                throw bk::Error(BK_E_UNSUPPORTED,
                                "catalog '" + name +
                                    "': its file system has no shared memory for WAL",
                                "put the catalog on a local disk");
        } catch (const bk::Error& error) {
            if (error.status() != BK_E_BUSY || steady_clock::now() > deadline) throw;
            std::this_thread::sleep_for(5ms);
        }
    }
}

} // namespace

std::span<const char* const> catalog_migrations() { return kMigrations; }

void create_file(const std::filesystem::path& file) {
    std::filesystem::path made;
    for (const auto& part : file.parent_path()) {
        made /= part;
        const int failed = ::mkdir(made.c_str(), 0700) == 0 ? 0 : errno;
        std::error_code ignored; // what cannot be looked at is not a directory for us either
        if (failed != 0 && !std::filesystem::is_directory(made, ignored))
            bk::throw_errno(failed,
                            "cannot make the directory '" + made.string() + "' of the catalog",
                            "name another file for the catalog, or make the directory");
    }
    if (std::filesystem::exists(file)) return;
    // Made under another name and linked, not opened in place: closing a descriptor of the database
    // file would drop the locks that another thread of this process holds on it.
    std::string temporary = file.string() + ".XXXXXX"; // mkostemp creates with 0600
    const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0)
        bk::throw_errno(errno, "cannot create the catalog '" + file.string() + "'",
                        "its directory must be writable for this user");
    ::close(descriptor);
    const int failed = ::link(temporary.c_str(), file.c_str()) == 0 ? 0 : errno;
    ::unlink(temporary.c_str());
    if (failed != 0 && failed != EEXIST)
        bk::throw_errno(failed, "cannot create the catalog '" + file.string() + "'");
}

void open_schema(Database& database, const std::filesystem::path& file,
                 std::span<const char* const> migrations) {
    const std::string name = file.string();
    const auto known = static_cast<int64_t>(migrations.size());
    {
        const Transaction one_state(database, Transaction::Kind::read);
        checked_version(database, name, known); // before anything is written
    }
    set_wal_mode(database, name);
    database.run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
    if (database.integer("PRAGMA user_version") == known) return;

    Transaction transaction(database);
    const int64_t version = checked_version(database, name, known); // another may have been faster
    for (int64_t i = version; i < known; ++i)
        database.run(migrations[static_cast<size_t>(i)]);
    database.run(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str());
    database.run(("PRAGMA user_version = " + std::to_string(known)).c_str());
    transaction.commit();
}

} // namespace bkhost::internal
