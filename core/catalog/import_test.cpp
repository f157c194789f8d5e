#include "core/catalog/catalog_fixture.hpp"

namespace bkhost {
namespace {

using test::error_of;
using enum BackupState;

class Import : public test::CatalogTest {
protected:
    /// As a manifest tells it.
    static BackupRow found(const std::string& id) {
        BackupRow row = CatalogTest::row(id);
        row.state = completed;
        row.stored_size = 77;
        row.manifest_sha256 = "aa";
        return row;
    }
    static CopyRow stored(const std::string& storage) {
        CopyRow copy = CatalogTest::copy(storage, CopyState::stored);
        copy.manifest_sha256 = "aa";
        copy.size = 77;
        return copy;
    }
};

} // namespace

TEST_F(Import, FillsAnEmptyCatalogAndIsIdempotent) {
    Catalog catalog(file_, clock_, probe_);
    EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("here")}), ImportOutcome::inserted);
    EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("offsite")}), ImportOutcome::refreshed);
    EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("offsite")}), ImportOutcome::refreshed);
    EXPECT_EQ(catalog.list().size(), 1u);
    EXPECT_EQ(catalog.copies(id(0)).size(), 2u);
    EXPECT_EQ(catalog.backup(id(0))->state, completed);
    EXPECT_EQ(catalog.events().size(), 1u);
    EXPECT_TRUE(catalog.check().empty());
}

TEST_F(Import, TakesNothingFromACompletedRow) {
    Catalog catalog(file_, clock_, probe_);
    complete(catalog, id(0));
    BackupChange change;
    change.notes = "keep";
    change.engine_version = "15.4";
    change.expires_ms = 5;
    catalog.update_backup(id(0), change);
    BackupRow told = found(id(0));
    told.notes = "other";
    told.engine = "";
    EXPECT_EQ(catalog.import_backup(told, {}), ImportOutcome::refreshed);
    const BackupRow out = catalog.backup(id(0)).value();
    EXPECT_EQ(out.state, completed);
    EXPECT_EQ(out.notes, "keep");
    EXPECT_EQ(out.engine, "postgres");
    EXPECT_EQ(out.engine_version, "15.4");
    EXPECT_EQ(out.expires_ms, 5);
    EXPECT_EQ(out.stored_size, 77) << "what is told replaces";
    EXPECT_EQ(catalog.copies(id(0)).size(), 1u) << "a copy that was not looked for stays";
}

TEST_F(Import, NewerVerificationOfTheSameManifestCounts) {
    Catalog catalog(file_, clock_, probe_);
    CopyRow verified = stored("here");
    verified.verified_level = VerifyLevel::full;
    verified.verified_outcome = VerifyOutcome::ok;
    verified.verified_ms = 1000;
    (void)catalog.import_backup(found(id(0)), {verified});
    (void)catalog.import_backup(found(id(0)), {stored("here")});
    EXPECT_EQ(catalog.copies(id(0))[0].verified_level, VerifyLevel::full);
    verified.verified_level = VerifyLevel::stored;
    verified.verified_outcome = VerifyOutcome::failed;
    verified.verified_ms = 2000;
    (void)catalog.import_backup(found(id(0)), {verified});
    EXPECT_EQ(catalog.copies(id(0))[0].verified_outcome, VerifyOutcome::failed);
    CopyRow changed = stored("here");
    changed.manifest_sha256 = "bb";
    (void)catalog.import_backup(found(id(0)), {changed});
    EXPECT_EQ(catalog.copies(id(0))[0].verified_level, VerifyLevel::none) << "of another manifest";
}

TEST_F(Import, AdoptsWhatADeadRunLeft) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.begin_backup(row(id(0)), {copy("here")});
    catalog.transition(id(0), pending, running);
    EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("here")}), ImportOutcome::kept)
        << "its process lives";
    EXPECT_EQ(catalog.copies(id(0))[0].state, CopyState::uploading);
    EXPECT_TRUE(catalog.held(lease));

    probe_.set(100, 7, Presence::gone);
    EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("here")}), ImportOutcome::adopted);
    EXPECT_EQ(catalog.backup(id(0))->state, completed);
    EXPECT_EQ(catalog.copies(id(0))[0].state, CopyState::stored);
    EXPECT_TRUE(catalog.leases().empty());
    EXPECT_EQ(catalog.events().back().data, R"({"cause":"adopt","from":"running"})");
}

TEST_F(Import, AdoptsAnInterruptedRowAndClearsItsError) {
    Catalog catalog(file_, clock_, probe_);
    const Lease lease = catalog.begin_backup(row(id(0)));
    catalog.transition(id(0), pending, running);
    BackupChange change;
    change.error = "its process died";
    change.hint = "run it again";
    catalog.finish_backup(id(0), running, interrupted, change, {}, lease);
    EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("here")}), ImportOutcome::adopted);
    EXPECT_EQ(catalog.backup(id(0))->error, "");
    EXPECT_EQ(catalog.backup(id(0))->hint, "");
}

TEST_F(Import, LeavesEndedRowsAlone) {
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    probe_.set(100, 7, Presence::gone);
    for (const char* state : {"pending", "failed", "cancelled", "deleting", "deleted"}) {
        sql(std::string("UPDATE backups SET state = '") + state + "'");
        EXPECT_EQ(catalog.import_backup(found(id(0)), {stored("here")}), ImportOutcome::kept)
            << state;
        EXPECT_EQ(state_name(catalog.backup(id(0))->state), state);
        EXPECT_TRUE(catalog.copies(id(0)).empty());
    }
    sql("UPDATE backups SET state = 'expired'");
    EXPECT_EQ(catalog.import_backup(found(id(0)), {}), ImportOutcome::refreshed);
    EXPECT_EQ(catalog.backup(id(0))->state, expired);
}

TEST_F(Import, RefusesWhatIsNotCompletedOrHasNoId) {
    Catalog catalog(file_, clock_, probe_);
    EXPECT_EQ(error_of([&] { (void)catalog.import_backup(row(id(0)), {}); }).status(),
              BK_E_INVALID);
    BackupRow nameless = found(id(0));
    nameless.id = "x";
    EXPECT_EQ(error_of([&] { (void)catalog.import_backup(nameless, {}); }).status(), BK_E_INVALID);
    EXPECT_TRUE(catalog.list().empty());
}

} // namespace bkhost
