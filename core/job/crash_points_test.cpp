// Kills a process before and after every external effect of a backup, a restore, a deletion, a
// rebuild and of the reaping itself (each storage call that changes something, each commit of the
// catalog), lets the next process start, and looks at what is there: nothing completed is lost,
// nothing says completed that cannot be read back, nothing else stays on the storages.
#include "core/base/digest.hpp"
#include "core/catalog/catalog_fixture.hpp"
#include "core/job/backup.hpp"
#include "core/job/delete_backup.hpp"
#include "core/job/import.hpp"
#include "core/job/reap.hpp"
#include "core/job/restore.hpp"
#include "core/job/verify.hpp"
#include "core/testing/folder_storage.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sys/wait.h>

namespace bkhost::test {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

// -- the catalog's commits as crash points

thread_local bool committing = false;

/// SQLite calls this for each connection that is opened.
int count_commits(sqlite3* connection, char**, const sqlite3_api_routines*) {
    sqlite3_commit_hook(
        connection,
        [](void*) {
            CrashPoints::before();
            committing = true;
            return 0;
        },
        nullptr);
    return sqlite3_trace_v2(
        connection, SQLITE_TRACE_PROFILE, // when a statement has ended, so after its commit
        [](unsigned, void*, void*, void*) {
            if (std::exchange(committing, false)) CrashPoints::after();
            return 0;
        },
        nullptr);
}

void hook_catalogs() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&count_commits)); }

// -- one process over the catalog and the storages in a directory

class Process {
public:
    explicit Process(const fs::path& dir) : dir_(dir), catalog(dir / "catalog.db") {}

    JobContext context() {
        return {registry, catalog, log, observer, {}, Clock::system(), "bkhost 9", "db1", "tester"};
    }
    [[nodiscard]] NamedDriver storage(const std::string& name) const {
        return {
            name,
            {"folder", {{"path", {(dir_ / name).string()}}, {"away", {away ? "true" : "false"}}}}};
    }
    [[nodiscard]] OpenStorage open() const {
        return [this](const CopyRow& copy) { return storage(copy.storage); };
    }
    ReapResult reap_all() { return reap(context(), open()); }

    bool away = false; ///< no storage answers

private:
    const fs::path dir_;
    FolderRegistry registry;
    TestLog log;
    RunObserver observer;

public:
    Catalog catalog;
};

const DecryptOptions kDecrypt = [](const std::string&) { return OptionText{{"key", {"key one"}}}; };

struct Storages {
    const char* label;
    std::vector<std::string> names;
    size_t required;

    friend void PrintTo(const Storages& storages, std::ostream* out) { *out << storages.label; }
};

BackupRequest backup_request(const Process& process, const Storages& to) {
    BackupRequest request;
    request.job = "nightly";
    request.source_name = "shop";
    request.environment = "production";
    request.source = {"synthetic", {{"unit-bytes", {"160KiB"}}, {"fragment", {"8KiB"}}}};
    request.compress = DriverSpec{"store", {}};
    request.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
    for (const std::string& name : to.names)
        request.storages.push_back(process.storage(name));
    request.copies_required = to.required;
    request.volume_size = 100 * 1024;
    request.memory = 6 << 20;
    request.workers = 1;
    return request;
}

/// The hash of the dump, decoded; "" when the archive is not whole.
std::string content(Process& process, const std::string& storage, const std::string& folder) {
    Xxh3 hash;
    try {
        stream_archive(process.context(), {process.storage(storage), folder}, kDecrypt, 0,
                       [&](std::span<const uint8_t> bytes) { hash.update(bytes); });
    } catch (const bk::Error&) {
        return "";
    }
    return hash.finish();
}

/// Exit status of a child that runs `body` in `dir` and dies at the n-th point.
int in_child(const fs::path& dir, CrashAt at, uint64_t nth,
             const std::function<void(Process&)>& body) {
    const pid_t child = ::fork(); // this process has no other thread now, and no catalog open
    if (child == 0) {
        CrashPoints::arm(at, nth);
        try {
            Process process(dir);
            body(process);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "the child failed: %s\n", error.what());
            ::_exit(3);
        }
        ::_exit(0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class CrashPointsTest : public ::testing::TestWithParam<Storages> {
protected:
    using Body = std::function<void(Process&)>;

    void SetUp() override {
        hook_catalogs();
        Process process(begin_);
        keep_ = run_backup(process.context(), backup_request(process, GetParam())).row.id;
        target_ = run_backup(process.context(), backup_request(process, GetParam())).row.id;
        expected_ = content(process, "here", process.catalog.backup(keep_)->archive_key);
        ASSERT_FALSE(expected_.empty());
    }

    /// A directory with what `from` holds.
    fs::path copy_of(const fs::path& from) {
        const fs::path to = dir_.path / std::to_string(++copies_);
        fs::copy(from, to, fs::copy_options::recursive);
        return to;
    }
    /// Runs `body` in a copy of `from` for every point, and `after` in what each death left.
    /// Gives the number of points.
    uint64_t every_point(const fs::path& from, CrashAt at, const Body& body,
                         const std::function<void(const fs::path&)>& after) {
        for (uint64_t nth = 1;; ++nth) {
            const fs::path dir = copy_of(from);
            const int status = in_child(dir, at, nth, body);
            if (status != 0 && status != CrashPoints::kCrashed)
                ADD_FAILURE() << "point " << nth << ": exit status " << status;
            if (status == CrashPoints::kCrashed) after(dir);
            EXPECT_FALSE(HasFailure())
                << (at == CrashAt::before ? "before" : "after") << " effect " << nth;
            fs::remove_all(dir);
            if (status == 0 || HasFailure() || nth > 500) return nth - 1;
        }
    }
    uint64_t both_sides(const fs::path& from, const Body& body,
                        const std::function<void(const fs::path&)>& after) {
        const uint64_t before = every_point(from, CrashAt::before, body, after);
        EXPECT_EQ(every_point(from, CrashAt::after, body, after), before);
        return before;
    }
    void report(const std::string& what, uint64_t points, uint64_t at_least,
                const char* sides = "{before, after}") {
        EXPECT_GE(points, at_least) << what;
        std::cout << "crash points: " << what << ", " << GetParam().label << ": " << points << " x "
                  << sides << ", " << lost_ << " lost, " << false_ << " false\n";
        EXPECT_EQ(lost_, 0u);
        EXPECT_EQ(false_, 0u);
    }

    /// What the next process must bring to its end, seen before it starts: whole archives that
    /// nobody had begun to delete.
    std::set<std::string> whole_archives(Process& process) {
        std::set<std::string> ids;
        for (const BackupRow& row : process.catalog.list()) {
            if (row.state == BackupState::deleting || row.state == BackupState::deleted) continue;
            for (const CopyRow& copy : process.catalog.copies(row.id))
                if (copy.state != CopyState::deleting &&
                    content(process, copy.storage, row.archive_key) == expected_)
                    ids.insert(row.id);
        }
        return ids;
    }
    /// The next process starts: everything comes to rest, and a second start changes nothing.
    void next_starts(const fs::path& dir) {
        std::set<std::string> must_be_there;
        {
            Process looking(dir);
            must_be_there = whole_archives(looking);
        }
        Process process(dir);
        (void)process.reap_all();
        expect_good(process, dir, must_be_there);
        const std::string once = everything(process, dir);
        const ReapResult again = process.reap_all();
        EXPECT_EQ(again.adopted + again.interrupted + again.restores + again.deletions, 0u);
        EXPECT_EQ(everything(process, dir), once);
    }
    void expect_good(Process& process, const fs::path& dir,
                     const std::set<std::string>& must_be_there) {
        EXPECT_THAT(process.catalog.leases(), IsEmpty());
        for (const CatalogProblem& problem : process.catalog.check())
            ADD_FAILURE() << problem.object << ": " << problem.message;
        for (const RestoreRow& row : process.catalog.restores())
            EXPECT_FALSE(is_active(row.state)) << state_name(row.state);
        expect_allowed_history(process.catalog);
        std::map<std::string, std::set<std::string>> prefixes; // by storage, what may be there
        std::set<std::string> completed;
        for (const BackupRow& row : process.catalog.list()) {
            EXPECT_TRUE(!is_active(row.state) && row.state != BackupState::deleting)
                << row.id << " is " << state_name(row.state);
            if (row.state == BackupState::completed) completed.insert(row.id);
            expect_copies(process, row, prefixes);
        }
        for (const std::string& id : must_be_there)
            if (!completed.contains(id)) {
                ++lost_;
                ADD_FAILURE() << "backup " << id << " is lost";
            }
        for (const char* name : {"here", "there"})
            expect_nothing_else(StorageFolder(dir / name), prefixes[name]);
    }
    void expect_copies(Process& process, const BackupRow& row,
                       std::map<std::string, std::set<std::string>>& prefixes) {
        for (const CopyRow& copy : process.catalog.copies(row.id)) {
            EXPECT_TRUE(copy.state != CopyState::uploading && copy.state != CopyState::deleting)
                << row.id << " on " << copy.storage << " is " << state_name(copy.state);
            if (copy.state != CopyState::stored) continue;
            prefixes[copy.storage].insert(row.archive_key);
            if (row.state == BackupState::completed && reads_back(process, row, copy)) continue;
            ++false_;
            ADD_FAILURE() << row.id << " (" << state_name(row.state) << ") on " << copy.storage
                          << " is no archive";
        }
    }
    /// Verified in full, and the same bytes.
    bool reads_back(Process& process, const BackupRow& row, const CopyRow& copy) const {
        const ArchivePlace place{process.storage(copy.storage), row.archive_key};
        return verify_archive(process.context(), place, VerifyLevel::full, kDecrypt, 0).outcome ==
                   VerifyOutcome::ok &&
               content(process, copy.storage, row.archive_key) == expected_;
    }
    static void expect_nothing_else(const StorageFolder& folder,
                                    const std::set<std::string>& prefixes) {
        EXPECT_THAT(folder.open_uploads(), IsEmpty());
        for (const std::string& key : folder.keys()) {
            const bool known = std::ranges::any_of(
                prefixes, [&](const std::string& prefix) { return key.starts_with(prefix); });
            EXPECT_TRUE(known && key.find("/reading-") == std::string::npos) << key << " stays";
        }
    }
    /// Every change of a backup's state, as the events tell it, is one that the table allows.
    static void expect_allowed_history(const Catalog& catalog) {
        std::map<std::string, std::string> states;
        for (const EventRow& event : catalog.events()) {
            if (event.backup_id.empty() || !event.kind.starts_with("backup.")) continue;
            const std::string to = event.kind.substr(7);
            const auto data = nlohmann::json::parse(event.data);
            std::string& now = states[event.backup_id];
            if (to != "imported" && to != "pending") {
                EXPECT_EQ(data.at("from").get<std::string>(), now) << event.backup_id;
                EXPECT_TRUE(allowed(*parse_state<BackupState>(now), *parse_state<BackupState>(to),
                                    data.contains("cause") ? Cause::adopt : Cause::step))
                    << now << " to " << to;
            }
            now = to == "imported" ? "completed" : to;
        }
        for (const auto& [id, state] : states)
            EXPECT_EQ(state_name(catalog.backup(id)->state), state);
    }
    static std::string everything(Process& process, const fs::path& dir) {
        std::string all;
        for (const BackupRow& row : process.catalog.list()) {
            all += row.id + " " + std::string(state_name(row.state)) + " " + row.error + "\n";
            for (const CopyRow& copy : process.catalog.copies(row.id))
                all += "  " + copy.storage + " " + std::string(state_name(copy.state)) + " " +
                       copy.error + "\n";
        }
        all += std::to_string(process.catalog.events(0, 100000).size());
        for (const char* name : {"here", "there"})
            for (const std::string& key : StorageFolder(dir / name).keys())
                all += "\n" + key;
        return all;
    }

    void back_up(Process& process) const {
        (void)run_backup(process.context(), backup_request(process, GetParam()));
    }
    void remove_target(Process& process) const {
        (void)delete_backup(process.context(), process.open(), target_);
    }
    [[nodiscard]] uint64_t objects_a_storage() const {
        return (StorageFolder(begin_ / "here").keys().size()) / 2; // of two backups
    }

    TempDir dir_;
    const fs::path begin_ = dir_.path / "begin";
    std::string keep_, target_, expected_;
    uint64_t copies_ = 0, lost_ = 0, false_ = 0;
};

TEST_P(CrashPointsTest, OfABackup) {
    const uint64_t points = both_sides(
        begin_, [&](Process& process) { back_up(process); },
        [&](const fs::path& dir) { next_starts(dir); });
    // Four steps of the row; three calls an object; the manifest is one call.
    const uint64_t objects = objects_a_storage();
    EXPECT_GE(objects, 4u) << "several volumes, index, manifest";
    report("backup", points, 4 + GetParam().names.size() * ((objects - 1) * 3 + 1));
}

/// The first of all backups makes the catalog too.
TEST_P(CrashPointsTest, OfTheVeryFirstBackup) {
    const fs::path empty = dir_.path / "empty";
    fs::create_directories(empty);
    const uint64_t points = both_sides(
        empty, [&](Process& process) { back_up(process); },
        [&](const fs::path& dir) { next_starts(dir); });
    report("first backup", points, 12);
}

TEST_P(CrashPointsTest, OfARestore) {
    const uint64_t points = both_sides(
        begin_,
        [&](Process& process) {
            RestoreRequest request;
            request.backup_id = target_;
            request.places = {
                {process.storage("here"), process.catalog.backup(target_)->archive_key}};
            request.decrypt = kDecrypt;
            request.target = {"synthetic", {{"name", {"target"}}}};
            request.target_text = "target";
            (void)run_restore(process.context(), request);
        },
        [&](const fs::path& dir) {
            next_starts(dir);
            Process process(dir); // and the dead restore keeps nobody from deleting
            EXPECT_TRUE(delete_backup(process.context(), process.open(), target_).complete);
        });
    report("restore", points, 5); // row, row, mark, mark removed, row
}

TEST_P(CrashPointsTest, OfADeletion) {
    const uint64_t points = both_sides(
        begin_, [&](Process& process) { remove_target(process); },
        [&](const fs::path& dir) {
            next_starts(dir);
            Process process(dir);
            EXPECT_EQ(process.catalog.backup(keep_)->state, BackupState::completed);
        });
    report("deletion", points, 2 + GetParam().names.size() * objects_a_storage());
}

TEST_P(CrashPointsTest, OfDeletingOneCopy) {
    if (GetParam().names.size() < 2) GTEST_SKIP() << "the last copy does not go alone";
    const uint64_t points = both_sides(
        begin_,
        [&](Process& process) {
            (void)delete_backup(process.context(), process.open(), target_, "here");
        },
        [&](const fs::path& dir) {
            next_starts(dir);
            Process process(dir);
            EXPECT_EQ(process.catalog.backup(target_)->state, BackupState::completed);
        });
    report("deletion of one copy", points, 2 + objects_a_storage());
}

TEST_P(CrashPointsTest, OfARebuild) {
    const fs::path lost = copy_of(begin_);
    for (const char* part : {"catalog.db", "catalog.db-wal", "catalog.db-shm"})
        fs::remove(lost / part);
    const auto rebuild = [&](Process& process) {
        for (const std::string& name : GetParam().names)
            (void)import_storage(process.context(), process.storage(name));
    };
    const uint64_t points = both_sides(lost, rebuild, [&](const fs::path& dir) {
        {
            Process process(dir);
            (void)process.reap_all();
            rebuild(process);
        }
        next_starts(dir);
        Process process(dir);
        EXPECT_EQ(process.catalog.list({.states = {BackupState::completed}}).size(), 2u);
    });
    report("rebuild", points, 1 + 2 * GetParam().names.size()); // tables; each archive
}

// A second death: what the first one leaves does not depend on how many copies are required, and
// what is there after an effect is what is there before the next one.

/// Dies in the middle of a backup or a deletion, and whoever starts next dies as well.
TEST_P(CrashPointsTest, OfTheReaping) {
    if (GetParam().required < GetParam().names.size()) GTEST_SKIP() << "as where all are required";
    uint64_t points = 0;
    for (const bool deletes : {false, true})
        (void)every_point(
            begin_, CrashAt::before,
            [&](Process& process) { deletes ? remove_target(process) : back_up(process); },
            [&](const fs::path& crashed) {
                points += every_point(
                    crashed, CrashAt::before, [](Process& process) { (void)process.reap_all(); },
                    [&](const fs::path& dir) { next_starts(dir); });
            });
    report("reaping", points, 50, "{before}");
}

/// No storage answers whoever starts next; the one after him dies while he looks again.
TEST_P(CrashPointsTest, OfLookingAgain) {
    if (GetParam().required < GetParam().names.size()) GTEST_SKIP() << "as where all are required";
    uint64_t points = 0;
    (void)every_point(
        begin_, CrashAt::before, [&](Process& process) { back_up(process); },
        [&](const fs::path& crashed) {
            {
                Process process(crashed);
                process.away = true;
                (void)process.reap_all();
            }
            points += every_point(
                crashed, CrashAt::before, [](Process& process) { (void)process.reap_all(); },
                [&](const fs::path& dir) { next_starts(dir); });
        });
    report("looking again", points, 40, "{before}");
}

INSTANTIATE_TEST_SUITE_P(, CrashPointsTest,
                         ::testing::Values(Storages{"OneStorage", {"here"}, 1},
                                           Storages{"TwoStoragesAll", {"here", "there"}, 2},
                                           Storages{"TwoStoragesAny", {"here", "there"}, 1}),
                         [](const auto& test) { return std::string(test.param.label); });

} // namespace
} // namespace bkhost::test
