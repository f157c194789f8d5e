// Deleting, as the catalog sees it: who refuses, the first and the last step, and copies whose
// state changed meanwhile.
#include "core/catalog/catalog_fixture.hpp"

#include <gmock/gmock.h>

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using enum BackupState;

class DeletionTest : public CatalogTest {
protected:
    Catalog catalog_{file_, clock_, probe_};

    /// Completed, with a stored copy on each.
    void complete_on(const std::string& id, const std::vector<std::string>& storages) {
        complete(catalog_, id, storages.front());
        for (const std::string& storage : storages) {
            CopyRow stored = copy(storage, CopyState::stored);
            stored.backup_id = id;
            catalog_.put_copy(stored);
        }
    }
    bk::Error refusal(const std::string& id, const std::string& storage = {}) {
        return error_of([&] { (void)catalog_.begin_deletion(id, storage); });
    }
    CopyState state_of(const std::string& id, const std::string& storage) {
        for (const CopyRow& copy : catalog_.copies(id))
            if (copy.storage == storage) return copy.state;
        ADD_FAILURE() << "no copy on " << storage;
        return CopyState::uploading;
    }
    std::vector<CopyRow> with_state(const std::string& id, CopyState state) {
        std::vector<CopyRow> copies = catalog_.copies(id);
        for (CopyRow& copy : copies)
            copy.state = state;
        return copies;
    }
};

TEST_F(DeletionTest, GoesThroughDeletingToDeleted) {
    complete_on(id(0), {"here", "there"});
    const Lease lease = catalog_.begin_deletion(id(0));
    EXPECT_EQ(catalog_.backup(id(0))->state, deleting);
    EXPECT_EQ(state_of(id(0), "here"), CopyState::deleting);
    EXPECT_EQ(catalog_.copies(CopyState::deleting).size(), 2u);
    EXPECT_TRUE(catalog_.held(lease));
    catalog_.settle_copies(id(0), with_state(id(0), CopyState::deleted), lease);
    EXPECT_EQ(catalog_.backup(id(0))->state, deleted);
    EXPECT_THAT(catalog_.leases(), IsEmpty());
    EXPECT_THAT(catalog_.copies(CopyState::deleting), IsEmpty());
    EXPECT_EQ(catalog_.events().back().kind, "backup.deleted");
    EXPECT_EQ(refusal(id(0)).status(), BK_E_INVALID) << "there is no way out of deleted";
    EXPECT_THAT(catalog_.leases(), IsEmpty()) << "what failed left no trace";
}

TEST_F(DeletionTest, IsNotDoneWhileACopyIsLeftAndCanBeGoneOnWith) {
    complete_on(id(0), {"here", "there"});
    const Lease lease = catalog_.begin_deletion(id(0));
    std::vector<CopyRow> copies = catalog_.copies(id(0));
    copies[0].state = CopyState::deleted;
    catalog_.settle_copies(id(0), copies, lease);
    EXPECT_EQ(catalog_.backup(id(0))->state, deleting);
    EXPECT_THAT(catalog_.leases(), IsEmpty());
    const Lease again = catalog_.begin_deletion(id(0));
    EXPECT_EQ(state_of(id(0), copies[0].storage), CopyState::deleted);
    catalog_.settle_copies(id(0), with_state(id(0), CopyState::deleted), again);
    EXPECT_EQ(catalog_.backup(id(0))->state, deleted);
}

TEST_F(DeletionTest, ACopyThatFailedHasNothingToRemove) {
    const Lease run = catalog_.begin_backup(row(id(0)), {copy("here"), copy("there")});
    catalog_.transition(id(0), pending, running, {}, &run);
    catalog_.finish_backup(id(0), running, failed, {},
                           {copy("here", CopyState::failed), copy("there")}, run);
    const Lease lease = catalog_.begin_deletion(id(0));
    EXPECT_EQ(state_of(id(0), "here"), CopyState::deleted);
    EXPECT_EQ(state_of(id(0), "there"), CopyState::deleting) << "leftovers may lie there";
    catalog_.release(lease);
}

TEST_F(DeletionTest, RefusesWhatRunsOrIsHeldOrUnknown) {
    EXPECT_EQ(refusal(id(9)).status(), BK_E_NOT_FOUND);
    const Lease run = catalog_.begin_backup(row(id(0)));
    EXPECT_EQ(refusal(id(0)).status(), BK_E_BUSY);
    EXPECT_THAT(refusal(id(0)).message(), HasSubstr("is pending"));
    EXPECT_TRUE(catalog_.held(run));
    complete(catalog_, id(1));
    const std::optional<Lease> held = catalog_.try_acquire_backup(id(1));
    ASSERT_TRUE(held);
    EXPECT_EQ(refusal(id(1)).status(), BK_E_BUSY);
    EXPECT_FALSE(catalog_.try_acquire_backup(id(1)));
    EXPECT_FALSE(catalog_.try_acquire_backup(id(0))) << "it runs";
    EXPECT_FALSE(catalog_.try_acquire_backup(id(9)));
    EXPECT_EQ(catalog_.backup(id(1))->state, completed);
    catalog_.release(*held);
    catalog_.release(catalog_.begin_deletion(id(1)));
}

TEST_F(DeletionTest, RefusesWhatIsBeingRestoredByALivingProcess) {
    complete(catalog_, id(0));
    RestoreRow restore;
    restore.id = id(5);
    restore.backup_id = id(0);
    FakeProbe reader(300);
    Catalog reading(file_, clock_, reader);
    const Lease lease = reading.begin_restore(restore);
    EXPECT_THAT(refusal(id(0)).message(), HasSubstr("being restored by restore '" + id(5)));
    EXPECT_EQ(refusal(id(0)).status(), BK_E_BUSY);
    probe_.set(300, 7, Presence::gone);
    catalog_.release(catalog_.begin_deletion(id(0)));
}

TEST_F(DeletionTest, RefusesTheParentOfAnotherUntilThatIsGone) {
    complete(catalog_, id(0));
    BackupRow child = row(id(1));
    child.parent_id = id(0);
    const Lease run = catalog_.begin_backup(child);
    EXPECT_THAT(refusal(id(0)).message(), HasSubstr("is needed by backup '" + id(1)));
    EXPECT_EQ(refusal(id(0)).status(), BK_E_INVALID);
    catalog_.finish_backup(id(1), pending, failed, {}, {}, run);
    catalog_.release(catalog_.begin_deletion(id(0)));
}

TEST_F(DeletionTest, OneCopyGoesAndTheBackupStays) {
    complete_on(id(0), {"here", "there"});
    const Lease lease = catalog_.begin_deletion(id(0), "here");
    EXPECT_EQ(catalog_.backup(id(0))->state, completed);
    EXPECT_EQ(state_of(id(0), "here"), CopyState::deleting);
    EXPECT_EQ(state_of(id(0), "there"), CopyState::stored);
    CopyRow gone = copy("here", CopyState::deleted);
    catalog_.settle_copies(id(0), {gone}, lease);
    EXPECT_EQ(catalog_.backup(id(0))->state, completed);
    EXPECT_EQ(refusal(id(0), "here").status(), BK_E_NOT_FOUND) << "it is gone already";
    EXPECT_EQ(refusal(id(0), "nowhere").status(), BK_E_NOT_FOUND);
    EXPECT_THAT(catalog_.check(), IsEmpty());
}

TEST_F(DeletionTest, TheLastGoodCopyDoesNotGoAlone) {
    complete_on(id(0), {"here", "there"});
    CopyRow bad = copy("there", CopyState::stored);
    bad.backup_id = id(0);
    bad.verified_outcome = VerifyOutcome::failed;
    catalog_.put_copy(bad);
    EXPECT_EQ(refusal(id(0), "here").status(), BK_E_INVALID);
    EXPECT_THAT(refusal(id(0), "here").hint(), HasSubstr("bkhost delete " + id(0)));
    EXPECT_EQ(state_of(id(0), "here"), CopyState::stored);
    catalog_.release(catalog_.begin_deletion(id(0), "there")); // the damaged one may
    EXPECT_EQ(refusal(id(0), "here").status(), BK_E_INVALID);
    const Lease run = catalog_.begin_backup(row(id(1)), {copy("here"), copy("there")});
    catalog_.finish_backup(id(1), pending, failed, {}, {}, run);
    EXPECT_EQ(refusal(id(1), "here").status(), BK_E_INVALID) << "a failed one goes as a whole";
}

TEST_F(DeletionTest, AStaleCopyNeverComesBack) {
    complete_on(id(0), {"here", "there"});
    const CopyRow before = catalog_.copies(id(0))[0];
    const Lease lease = catalog_.begin_deletion(id(0), "here");
    const bk::Error error = error_of([&] { catalog_.put_copy(before); });
    EXPECT_EQ(error.status(), BK_E_BUSY);
    EXPECT_THAT(error.message(), HasSubstr("is 'deleting' and cannot become 'stored'"));
    BackupRow found = *catalog_.backup(id(0));
    EXPECT_EQ(catalog_.import_backup(found, {before}), ImportOutcome::refreshed);
    EXPECT_EQ(state_of(id(0), "here"), CopyState::deleting);
    catalog_.settle_copies(id(0), {copy("here", CopyState::deleted)}, lease);
    EXPECT_EQ(catalog_.import_backup(found, {before}), ImportOutcome::refreshed);
    EXPECT_EQ(state_of(id(0), "here"), CopyState::stored) << "found again: brought back by hand";
}

TEST_F(DeletionTest, WhoLostTheLeaseSettlesNothing) {
    complete(catalog_, id(0));
    const Lease lease = catalog_.begin_deletion(id(0));
    FakeProbe other(300);
    other.set(100, 7, Presence::gone);
    Catalog elsewhere(file_, clock_, other);
    ASSERT_TRUE(elsewhere.try_acquire_backup(id(0)));
    EXPECT_EQ(error_of([&] {
                  catalog_.settle_copies(id(0), with_state(id(0), CopyState::deleted), lease);
              }).status(),
              BK_E_BUSY);
    EXPECT_EQ(catalog_.backup(id(0))->state, deleting);
}

} // namespace
} // namespace bkhost::test
