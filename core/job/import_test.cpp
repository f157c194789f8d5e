// A catalog made anew from the storages: equal to the one that was lost, as far as archives tell.
#include "core/job/import.hpp"

#include "core/job/job_fixture.hpp"
#include "core/job/verify.hpp"

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ImportTest : public JobTest {
protected:
    Catalog fresh_{dir_.path / "fresh.db", clock_, probe_};

    [[nodiscard]] ImportResult import_into(Catalog& catalog, const std::string& name = "here") {
        return import_storage(
            {registry_, catalog, log_, observer_, {}, clock_, "bkhost 9", "db1", "tester"},
            storage(name));
    }
    /// Several backups of different kinds.
    std::vector<BackupRow> history() {
        std::vector<BackupRow> rows;
        for (int i = 0; i < 3; ++i) {
            clock_.pass(60'000);
            BackupRequest backup = request_for_two(2);
            if (i == 1) backup.tenant = "acme";
            if (i == 1) backup.compress = DriverSpec{"store", {{"level", {"5"}}}};
            if (i == 2) backup.compress = DriverSpec{"swell", {}};
            if (i == 2) backup.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
            if (i == 2) backup.job = "";
            rows.push_back(back_up(backup).row);
        }
        return rows;
    }
};

TEST_F(ImportTest, ARebuiltCatalogEqualsTheLostOne) {
    const std::vector<BackupRow> rows = history();
    const ImportResult result = import_into(fresh_);
    EXPECT_EQ(result.found, 3u);
    EXPECT_EQ(result.inserted, 3u);
    EXPECT_EQ(result.refreshed, 0u);
    EXPECT_THAT(result.problems, IsEmpty());
    (void)import_into(fresh_, "there");
    for (const BackupRow& was : rows) {
        const BackupRow is = *fresh_.backup(was.id);
        EXPECT_EQ(is.job, was.job);
        EXPECT_EQ(is.source, was.source);
        EXPECT_EQ(is.tenant, was.tenant);
        EXPECT_EQ(is.environment, was.environment);
        EXPECT_EQ(is.type, was.type);
        EXPECT_EQ(is.engine, was.engine);
        EXPECT_EQ(is.engine_version, was.engine_version);
        EXPECT_EQ(is.format, was.format);
        EXPECT_EQ(is.state, BackupState::completed);
        EXPECT_EQ(is.archive_key, was.archive_key);
        EXPECT_EQ(is.started_ms, was.started_ms);
        EXPECT_EQ(is.finished_ms, was.finished_ms);
        EXPECT_EQ(is.plain_size, was.plain_size);
        EXPECT_EQ(is.stored_size, was.stored_size);
        EXPECT_EQ(is.rows, was.rows);
        EXPECT_EQ(is.encryption, was.encryption);
        EXPECT_EQ(is.key_ids, was.key_ids);
        EXPECT_EQ(is.manifest_sha256, was.manifest_sha256);
        EXPECT_EQ(is.host_name, was.host_name);
        EXPECT_EQ(is.parent_id, was.parent_id);
        EXPECT_EQ(is.bkhost_version, was.bkhost_version);
        for (const char* name : {"here", "there"}) {
            CopyRow copy;
            for (const CopyRow& c : fresh_.copies(was.id))
                if (c.storage == name) copy = c;
            const CopyRow original = copy_at(was.id, name);
            EXPECT_EQ(copy.state, CopyState::stored);
            EXPECT_EQ(copy.size, original.size);
            EXPECT_EQ(copy.manifest_sha256, original.manifest_sha256);
            EXPECT_EQ(copy.location.driver, original.location.driver);
            EXPECT_EQ(copy.location.options, original.location.options);
        }
    }
}

/// The manifest has the driver's defaults, the request only what was written.
TEST_F(ImportTest, TheCompressionReadsTheSameAfterARebuild) {
    const std::vector<BackupRow> rows = history();
    (void)import_into(fresh_);
    for (const BackupRow& was : rows)
        EXPECT_EQ(fresh_.backup(was.id)->compression, was.compression);
}

TEST_F(ImportTest, ARebuiltRowCanBeRestored) {
    const BackupRow row = history().back();
    (void)import_into(fresh_);
    const JobContext context{registry_, fresh_,     log_,  observer_, {},
                             clock_,    "bkhost 9", "db1", "tester"};
    RestoreRequest request = restore_request(*fresh_.backup(row.id), {});
    for (const CopyRow& copy : fresh_.copies(row.id))
        request.places.push_back(
            {{copy.storage, copy.location}, fresh_.backup(row.id)->archive_key});
    (void)run_restore(context, request);
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
}

TEST_F(ImportTest, TheSecondTimeChangesNothing) {
    const std::vector<BackupRow> rows = history();
    (void)import_into(fresh_);
    const ImportResult again = import_into(fresh_);
    EXPECT_EQ(again.found, 3u);
    EXPECT_EQ(again.inserted, 0u);
    EXPECT_EQ(again.refreshed, 3u);
    EXPECT_EQ(fresh_.list().size(), 3u);
}

TEST_F(ImportTest, ImportingIntoTheCatalogThatMadeThemKeepsNotesAndVerification) {
    BackupRequest backup = request();
    backup.notes = "before the move";
    const BackupRow row = back_up(backup).row;
    clock_.pass(1000);
    (void)verify_archive(context(), place("here", row), VerifyLevel::stored, {}, 0);
    EXPECT_EQ(import_into(catalog_).refreshed, 1u);
    EXPECT_EQ(catalog_.backup(row.id)->notes, "before the move");
    EXPECT_EQ(catalog_.backup(row.id)->initiated_by, "tester");
    EXPECT_EQ(copy_at(row.id, "here").verified_level, VerifyLevel::stored);
}

TEST_F(ImportTest, ACorruptManifestIsReportedAndTheOthersAreImported) {
    const std::vector<BackupRow> rows = history();
    here_->flip_bit(rows[1].archive_key + "manifest.json", 40);
    const ImportResult result = import_into(fresh_);
    EXPECT_EQ(result.found, 3u);
    EXPECT_EQ(result.inserted, 2u);
    ASSERT_EQ(result.problems.size(), 1u);
    EXPECT_THAT(result.problems.front(), HasSubstr(rows[1].archive_key + "manifest.json"));
    EXPECT_FALSE(fresh_.backup(rows[1].id));
}

/// "Damaged" is not "gone".
TEST_F(ImportTest, ACorruptManifestDoesNotMakeItsCopyMissing) {
    const std::vector<BackupRow> rows = history();
    here_->flip_bit(rows[1].archive_key + "manifest.json", 40);
    (void)import_into(catalog_);
    EXPECT_EQ(copy_at(rows[1].id, "here").state, CopyState::stored);
}

TEST_F(ImportTest, AManifestInAnotherBackupsFolderIsReported) {
    const std::vector<BackupRow> rows = history();
    const std::string to = rows[0].archive_key + "manifest.json";
    here_->set_object(to, here_->object(rows[2].archive_key + "manifest.json"));
    const ImportResult result = import_into(fresh_);
    ASSERT_EQ(result.problems.size(), 1u);
    EXPECT_THAT(result.problems.front(), HasSubstr("belongs to another backup"));
    EXPECT_EQ(fresh_.backup(rows[2].id)->archive_key, rows[2].archive_key);
}

TEST_F(ImportTest, AnArchiveThatIsGoneIsMissing) {
    const std::vector<BackupRow> rows = history();
    for (const std::string& key : here_->keys())
        if (key.starts_with(rows[0].archive_key)) here_->erase(key);
    (void)import_into(catalog_);
    EXPECT_EQ(copy_at(rows[0].id, "here").state, CopyState::missing);
    EXPECT_EQ(copy_at(rows[0].id, "here").error, "the storage no longer has it");
    EXPECT_EQ(copy_at(rows[0].id, "there").state, CopyState::stored);
    EXPECT_EQ(copy_at(rows[1].id, "here").state, CopyState::stored);
    EXPECT_EQ(catalog_.backup(rows[0].id)->state, BackupState::completed)
        << "another copy is there";
}

TEST_F(ImportTest, AStorageThatIsAwayIsNotEmpty) {
    const std::vector<BackupRow> rows = history();
    for (const Call call : {Call::list, Call::open, Call::read}) {
        here_->fail({.call = call});
        EXPECT_EQ(error_of([&] { (void)import_into(catalog_); }).status(), BK_E_UNAVAILABLE);
        for (const BackupRow& row : rows)
            EXPECT_EQ(copy_at(row.id, "here").state, CopyState::stored) << static_cast<int>(call);
        EXPECT_EQ(catalog_.list().size(), 3u);
    }
    here_->fail({.call = Call::list});
    EXPECT_EQ(error_of([&] { (void)import_into(fresh_); }).status(), BK_E_UNAVAILABLE);
    EXPECT_THAT(fresh_.list(), IsEmpty());
}

TEST_F(ImportTest, ObjectsThatAreNoArchivesAreLeftOut) {
    here_->set_object("manifest.json", {'{', '}'});
    here_->set_object("production/_global/shop/notes/manifest.json", {'{', '}'});
    here_->set_object("production/_global/shop/20260211T031500Z-k3f9qd/shop.bin", {'x'});
    const ImportResult result = import_into(fresh_);
    EXPECT_EQ(result.found, 0u);
    EXPECT_THAT(result.problems, IsEmpty());
}

TEST_F(ImportTest, CancellingEndsIt) {
    (void)history();
    std::stop_source stop;
    stop.request_stop();
    const JobContext context{registry_, fresh_,     log_,  observer_, stop.get_token(),
                             clock_,    "bkhost 9", "db1", "tester"};
    EXPECT_EQ(error_of([&] { (void)import_storage(context, storage("here")); }).status(),
              BK_E_CANCELLED);
    EXPECT_THAT(fresh_.list(), IsEmpty());
}

} // namespace
} // namespace bkhost::test
