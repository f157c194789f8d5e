#include "core/catalog/catalog_fixture.hpp"

#include <gmock/gmock.h>

#include <barrier>
#include <thread>

namespace bkhost {
namespace {

using test::CatalogTest;
using test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using enum BackupState;

std::vector<std::string> ids(const std::vector<BackupRow>& rows) {
    std::vector<std::string> ids;
    for (const BackupRow& row : rows)
        ids.push_back(row.id);
    return ids;
}

std::vector<std::string> kinds(const std::vector<EventRow>& events) {
    std::vector<std::string> kinds;
    for (const EventRow& event : events)
        kinds.push_back(event.kind);
    return kinds;
}

} // namespace

TEST_F(CatalogTest, RowComesBackWithEveryField) {
    BackupRow in = row(id(0));
    in.tenant = "acme";
    in.type = "full";
    in.engine_version = "15.4";
    in.format = "sql";
    in.archive_key = "production/acme/shop/" + in.id;
    in.plain_size = 4096;
    in.stored_size = 1024;
    in.rows = 7;
    in.tables = 2;
    in.files = 3;
    in.contents = {"orders", "users \"x\"", ""};
    in.warnings = {"an index is missing"};
    in.compression = "zstd:3";
    in.encryption = "age";
    in.key_ids = {"age1abc"};
    in.manifest_sha256 = "ab12";
    in.host_name = "db1";
    in.initiated_by = "cron";
    in.notes = "before the upgrade; it's 'quoted'";
    in.retention = "daily: 7";
    in.expires_ms = 99;
    in.parent_id = id(1);
    in.bkhost_version = "0.1.0";
    {
        Catalog catalog(file_, clock_, probe_);
        (void)catalog.begin_backup(in, {copy("here"), copy("offsite")});
    }
    Catalog catalog(file_, clock_, probe_);
    const BackupRow out = catalog.backup(in.id).value();
    EXPECT_EQ(out.id, in.id);
    EXPECT_EQ(out.job, "shop");
    EXPECT_EQ(out.source, "shop");
    EXPECT_EQ(out.tenant, "acme");
    EXPECT_EQ(out.environment, "production");
    EXPECT_EQ(out.type, "full");
    EXPECT_EQ(out.engine, "postgres");
    EXPECT_EQ(out.engine_version, "15.4");
    EXPECT_EQ(out.format, "sql");
    EXPECT_EQ(out.state, pending);
    EXPECT_EQ(out.archive_key, in.archive_key);
    EXPECT_EQ(out.started_ms, in.started_ms);
    EXPECT_EQ(out.finished_ms, 0);
    EXPECT_EQ(out.plain_size, 4096);
    EXPECT_EQ(out.stored_size, 1024);
    EXPECT_EQ(out.ratio(), 4.0);
    EXPECT_EQ(out.rows, 7);
    EXPECT_EQ(out.tables, 2);
    EXPECT_EQ(out.files, 3);
    EXPECT_EQ(out.contents, in.contents);
    EXPECT_EQ(out.warnings, in.warnings);
    EXPECT_EQ(out.compression, "zstd:3");
    EXPECT_EQ(out.encryption, "age");
    EXPECT_EQ(out.key_ids, in.key_ids);
    EXPECT_EQ(out.manifest_sha256, "ab12");
    EXPECT_EQ(out.host_name, "db1");
    EXPECT_EQ(out.initiated_by, "cron");
    EXPECT_EQ(out.notes, in.notes);
    EXPECT_EQ(out.retention, "daily: 7");
    EXPECT_EQ(out.expires_ms, 99);
    EXPECT_EQ(out.parent_id, id(1));
    EXPECT_EQ(out.bkhost_version, "0.1.0");

    const std::vector<CopyRow> copies = catalog.copies(in.id);
    ASSERT_EQ(copies.size(), 2u);
    EXPECT_EQ(copies[0].storage, "here");
    EXPECT_EQ(copies[0].location.driver, "local");
    EXPECT_EQ(copies[0].location.options, (OptionText{{"path", {"/var/backups"}}}));
    EXPECT_EQ(copies[0].state, CopyState::uploading);
}

TEST_F(CatalogTest, RunGoesThroughItsStatesAndLeavesEvents) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.begin_backup(row(id(0)), {copy("here")});
    EXPECT_EQ(lease.name, "backup:" + id(0));
    clock_.pass(1000);
    catalog.transition(id(0), pending, running, {.engine_version = "15.4"}, &lease);
    catalog.transition(id(0), running, verifying, {}, &lease);
    EXPECT_EQ(catalog.backup(id(0))->finished_ms, 0);
    clock_.pass(2000);
    CopyRow stored = copy("here", CopyState::stored);
    stored.size = 55;
    BackupChange change;
    change.stored_size = 55;
    change.warnings = {{"slow"}};
    catalog.finish_backup(id(0), verifying, completed, change, {stored}, lease);

    const BackupRow out = catalog.backup(id(0)).value();
    EXPECT_EQ(out.state, completed);
    EXPECT_EQ(out.engine_version, "15.4");
    EXPECT_EQ(out.engine, "postgres") << "what a change does not set stays";
    EXPECT_EQ(out.stored_size, 55);
    EXPECT_EQ(out.warnings, std::vector<std::string>{"slow"});
    EXPECT_EQ(out.duration_ms(), 3000);
    EXPECT_EQ(catalog.copies(id(0))[0].state, CopyState::stored);
    EXPECT_THAT(catalog.leases(), IsEmpty());
    EXPECT_THAT(kinds(catalog.events()), ElementsAre("backup.pending", "backup.running",
                                                     "backup.verifying", "backup.completed"));
    EXPECT_EQ(catalog.events()[3].data, R"({"from":"verifying"})");
    EXPECT_EQ(catalog.events()[3].backup_id, id(0));
    EXPECT_EQ(catalog.events()[3].at_ms, clock_.now());
}

TEST_F(CatalogTest, EveryForbiddenStepIsRefusedAndEveryAllowedOneTaken) {
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    for (const auto& from : kBackupStates) {
        for (const auto& to : kBackupStates) {
            sql("UPDATE backups SET state = '" + std::string(from.name) + "'");
            if (allowed(from.state, to.state)) {
                catalog.transition(id(0), from.state, to.state);
                EXPECT_EQ(catalog.backup(id(0))->state, to.state);
                continue;
            }
            const bk::Error error =
                error_of([&] { catalog.transition(id(0), from.state, to.state); });
            EXPECT_EQ(error.status(), BK_E_INVALID);
            EXPECT_THAT(error.message(), HasSubstr("'" + std::string(from.name) + "'"));
            EXPECT_THAT(error.message(), HasSubstr("'" + std::string(to.name) + "'"));
            EXPECT_EQ(catalog.backup(id(0))->state, from.state);
        }
    }
}

TEST_F(CatalogTest, LostRaceNamesTheActualStateAndLeavesNoTrace) {
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    catalog.transition(id(0), pending, cancelled);
    const size_t events = catalog.events().size();
    const bk::Error error =
        error_of([&] { catalog.transition(id(0), pending, running, {.engine = "mysql"}); });
    EXPECT_EQ(error.status(), BK_E_BUSY);
    EXPECT_THAT(error.message(), HasSubstr("is 'cancelled', not 'pending'"));
    EXPECT_EQ(catalog.backup(id(0))->engine, "postgres");
    EXPECT_EQ(catalog.events().size(), events);
    EXPECT_EQ(error_of([&] { catalog.transition(id(9), pending, running); }).status(),
              BK_E_NOT_FOUND);
    EXPECT_EQ(error_of([&] { catalog.update_backup(id(9), {.notes = "x"}); }).status(),
              BK_E_NOT_FOUND);
    EXPECT_EQ(error_of([&] {
                  CopyRow lonely = copy("here");
                  lonely.backup_id = id(9);
                  catalog.put_copy(lonely);
              }).status(),
              BK_E_NOT_FOUND);
}

TEST_F(CatalogTest, OfEightRacersOneWins) {
    Catalog first(file_, clock_, probe_);
    (void)first.begin_backup(row(id(0)));
    std::atomic<int> won{0}, busy{0};
    std::barrier start(8);
    {
        std::vector<std::jthread> racers;
        for (int i = 0; i < 8; ++i)
            racers.emplace_back([&, i] {
                Catalog own(file_, clock_, probe_); // half of them with a connection of their own
                Catalog& catalog = i % 2 == 0 ? own : first;
                start.arrive_and_wait();
                try {
                    catalog.transition(id(0), pending, running);
                    ++won;
                } catch (const bk::Error& error) {
                    if (error.status() == BK_E_BUSY) ++busy;
                }
            });
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(busy, 7);
    EXPECT_EQ(first.events().size(), 2u);
}

TEST_F(CatalogTest, BadBeginningsAreRefused) {
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    EXPECT_EQ(error_of([&] { (void)catalog.begin_backup(row(id(0))); }).status(), BK_E_EXISTS);
    BackupRow bad = row(id(1));
    bad.id = "../../etc";
    EXPECT_EQ(error_of([&] { (void)catalog.begin_backup(bad); }).status(), BK_E_INVALID);
    bad = row(id(1));
    bad.state = completed;
    EXPECT_EQ(error_of([&] { (void)catalog.begin_backup(bad); }).status(), BK_E_INVALID);
    CopyRow unreadable = copy("here");
    unreadable.location.options["path"] = {"/\xff"};
    EXPECT_EQ(error_of([&] { (void)catalog.begin_backup(row(id(1)), {unreadable}); }).status(),
              BK_E_INVALID);
    EXPECT_FALSE(catalog.backup(id(1))) << "the row goes with its copies or not at all";
    EXPECT_EQ(catalog.leases().size(), 1u);
}

TEST_F(CatalogTest, ListFiltersAndIsNewestFirst) {
    Catalog catalog(file_, clock_, probe_);
    BackupRow staging = row(id(2));
    staging.environment = "staging";
    staging.tenant = "acme";
    BackupRow files = row(id(3));
    files.source = "uploads";
    files.job = "nightly";
    files.type = "files";
    files.engine = "files";
    complete(catalog, id(1), "here");
    complete(catalog, staging, "offsite");
    complete(catalog, files, "here");
    (void)catalog.begin_backup(row(id(4)), {copy("here")});

    using Filter = BackupFilter;
    const auto list = [&](const Filter& filter) { return ids(catalog.list(filter)); };
    EXPECT_THAT(list({}), ElementsAre(id(4), id(3), id(2), id(1)));
    EXPECT_THAT(list({.environment = "staging"}), ElementsAre(id(2)));
    EXPECT_THAT(list({.source = "uploads"}), ElementsAre(id(3)));
    EXPECT_THAT(list({.job = "nightly"}), ElementsAre(id(3)));
    EXPECT_THAT(list({.tenant = "acme"}), ElementsAre(id(2)));
    EXPECT_THAT(list({.type = "files"}), ElementsAre(id(3)));
    EXPECT_THAT(list({.engine = "postgres"}), ElementsAre(id(4), id(2), id(1)));
    EXPECT_THAT(list({.states = {pending, failed}}), ElementsAre(id(4)));
    EXPECT_THAT(list({.storage = "here"}), ElementsAre(id(3), id(1))) << "uploading is not stored";
    EXPECT_THAT(list({.since = row(id(2)).started_ms, .until = row(id(4)).started_ms}),
                ElementsAre(id(3), id(2)));
    EXPECT_THAT(list({.limit = 2}), ElementsAre(id(4), id(3)));
    EXPECT_THAT(
        list({.environment = "production", .states = {completed}, .storage = "here", .limit = 1}),
        ElementsAre(id(3)));
    EXPECT_THAT(list({.source = "' OR 1=1 --"}), IsEmpty());
    EXPECT_EQ(error_of([&] { (void)catalog.list({.limit = 0}); }).status(), BK_E_INVALID);

    EXPECT_EQ(catalog.latest({})->id, id(3)) << "completed ones only";
    EXPECT_EQ(catalog.latest({.states = {pending}})->id, id(4));
    EXPECT_FALSE(catalog.latest({.source = "nothing"}));
    EXPECT_EQ(catalog.copies(BackupFilter{.storage = "here"}).size(), 2u);
}

TEST_F(CatalogTest, IdsAreFoundByTheirBeginning) {
    Catalog catalog(file_, clock_, probe_);
    for (int i = 0; i < 7; ++i)
        (void)catalog.begin_backup(row(id(i)));
    EXPECT_EQ(catalog.find_backup(id(3)).id, id(3));
    EXPECT_EQ(catalog.find_backup(id(3).substr(0, 15)).id, id(3));
    const bk::Error several = error_of([&] { (void)catalog.find_backup("20260211"); });
    EXPECT_EQ(several.status(), BK_E_INVALID);
    for (int i = 2; i < 7; ++i)
        EXPECT_THAT(several.message(), HasSubstr(id(i)));
    EXPECT_THAT(several.message(), Not(HasSubstr(id(1))));
    EXPECT_THAT(several.message(), HasSubstr("…"));
    for (const char* unknown : {"2025", "%", "2026_211"})
        EXPECT_EQ(error_of([&] { (void)catalog.find_backup(unknown); }).status(), BK_E_NOT_FOUND);
    EXPECT_EQ(error_of([&] { (void)catalog.find_backup(""); }).status(), BK_E_INVALID);
}

TEST_F(CatalogTest, UsageCountsWhatIsStored) {
    Catalog catalog(file_, clock_, probe_);
    complete(catalog, id(1), "here", 100);
    complete(catalog, id(2), "here", 50);
    complete(catalog, id(3), "offsite", 7);
    CopyRow lost = copy("offsite", CopyState::missing);
    lost.backup_id = id(1);
    lost.size = 1000;
    catalog.put_copy(lost);
    const std::vector<StorageUsage> usage = catalog.usage();
    ASSERT_EQ(usage.size(), 2u);
    EXPECT_EQ(usage[0].storage, "here");
    EXPECT_EQ(usage[0].copies, 2);
    EXPECT_EQ(usage[0].bytes, 150);
    EXPECT_EQ(usage[0].oldest_ms, row(id(1)).started_ms);
    EXPECT_EQ(usage[0].newest_ms, row(id(2)).started_ms);
    EXPECT_EQ(usage[1].bytes, 7);
    EXPECT_EQ(catalog.usage({.since = row(id(2)).started_ms})[0].bytes, 50);
}

TEST_F(CatalogTest, RestoreLogKeepsWhatHappened) {
    Catalog catalog(file_, clock_, probe_);
    RestoreRow in;
    in.id = id(5);
    in.backup_id = id(0); // not in this catalog
    in.source = "offsite";
    in.target = "postgres://bk@localhost/shop";
    in.environment = "staging";
    in.tables = {"users", "orders"};
    in.initiated_by = "maria";
    const Lease lease = catalog.begin_restore(in);
    EXPECT_EQ(lease.name, "restore:" + in.id);
    EXPECT_EQ(error_of([&] { (void)catalog.begin_restore(in); }).status(), BK_E_EXISTS);
    catalog.transition(in.id, RestoreState::pending, RestoreState::running, {}, &lease);
    EXPECT_EQ(error_of([&] {
                  catalog.transition(in.id, RestoreState::pending, RestoreState::running);
              }).status(),
              BK_E_BUSY);
    EXPECT_EQ(error_of([&] {
                  catalog.transition(in.id, RestoreState::completed, RestoreState::running);
              }).status(),
              BK_E_INVALID);
    clock_.pass(500);
    RestoreChange change;
    change.bytes = 12;
    change.rows = 3;
    change.error = "table 'users' is there already";
    change.hint = "use --replace";
    catalog.finish_restore(in.id, RestoreState::running, RestoreState::failed, change, lease);
    EXPECT_THAT(catalog.leases(), IsEmpty());

    const RestoreRow out = catalog.find_restore(in.id.substr(0, 12));
    EXPECT_EQ(out.state, RestoreState::failed);
    EXPECT_EQ(out.tables, in.tables);
    EXPECT_EQ(out.target, in.target);
    EXPECT_EQ(out.rows, 3);
    EXPECT_EQ(out.error, *change.error);
    EXPECT_EQ(out.hint, "use --replace");
    EXPECT_EQ(out.duration_ms(), 500);
    EXPECT_EQ(catalog.restores({.environment = "staging"}).size(), 1u);
    EXPECT_THAT(catalog.restores({.backup_id = id(1)}), IsEmpty());
    EXPECT_THAT(catalog.restores({.states = {RestoreState::completed}}), IsEmpty());
    const EventRow last = catalog.events().back();
    EXPECT_EQ(last.kind, "restore.failed");
    EXPECT_EQ(last.restore_id, in.id);
    EXPECT_THAT(last.data, HasSubstr("is there already"));
}

TEST_F(CatalogTest, EventsAreNumberedAndPruned) {
    Catalog catalog(file_, clock_, probe_);
    const int64_t first = catalog.add_event({.kind = "drill"});
    clock_.pass(10);
    const int64_t second = catalog.add_event({.kind = "prune", .data = R"({"n":1})"});
    EXPECT_GT(second, first);
    EXPECT_THAT(kinds(catalog.events(first)), ElementsAre("prune"));
    EXPECT_EQ(catalog.events(0, 1).size(), 1u);
    EXPECT_EQ(catalog.prune_events(clock_.now()), 1);
    EXPECT_THAT(kinds(catalog.events()), ElementsAre("prune"));
    EXPECT_EQ(catalog.prune_events(clock_.now() + 1), 1);
    EXPECT_GT(catalog.add_event({.kind = "again"}), second) << "numbers are never used again";
}

TEST_F(CatalogTest, ManyRowsAreListedQuickly) {
    Catalog catalog(file_, clock_, probe_);
    sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
        "INSERT INTO backups SELECT printf('20260211T%06dZ-aaaaaa', i), 'j' || (i % 10), 's', '', "
        "'e', "
        "'database', 'postgres', '', 'sql', 'completed', '', i, i, 1, 1, 1, 1, 0, '[]', '[]', '', "
        "'', "
        "'[]', '', '', '', '', '', '', '', 0, '', '' FROM n");
    EXPECT_EQ(catalog.list().size(), 10'000u);
    EXPECT_EQ(catalog.list({.job = "j3"}).size(), 1000u);
    EXPECT_EQ(catalog.latest({})->started_ms, 9999);
}

} // namespace bkhost
