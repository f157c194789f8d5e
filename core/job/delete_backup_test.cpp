// Deleting backups: the order on the storages, what refuses, storages that do not answer, and
// whoever goes on with it.
#include "core/job/delete_backup.hpp"

#include "core/job/import.hpp"
#include "core/job/job_fixture.hpp"
#include "core/job/reading_mark.hpp"
#include "core/job/reap.hpp"

namespace bkhost::test {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class DeleteTest : public JobTest {
protected:
    static NamedDriver open(const CopyRow& copy) { return {copy.storage, copy.location}; }
    DeleteOutcome remove(const std::string& id, const std::string& storage_name = {}) {
        return delete_backup(context(), open, id, storage_name);
    }
    BackupRow backed_up(size_t storages = 1) {
        clock_.pass(1000);
        return back_up(storages == 1 ? request() : request_for_two(storages)).row;
    }
    void expect_untouched(const BackupRow& row) {
        EXPECT_EQ(catalog_.backup(row.id)->state, row.state);
        EXPECT_EQ(copy_at(row.id, "here").state, CopyState::stored);
        EXPECT_FALSE(key_of(*here_, "manifest.json").empty());
        expect_at_rest();
    }
    [[nodiscard]] std::string mark_of(const BackupRow& row, TimeMs at) const {
        return row.archive_key + "reading-" + format_time_compact(at) + "-" + make_id(clock_);
    }
};

TEST_F(DeleteTest, RemovesTheManifestFirstAndEverythingElse) {
    const BackupRow kept = backed_up();
    const size_t of_one = here_->keys().size();
    const BackupRow row = backed_up();
    here_->set_object(row.archive_key + "verify/1.json", {1});
    here_->add_stale_upload(row.archive_key + "shop.bin");
    std::vector<std::string> removed;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::remove) return;
        removed.push_back(key);
        EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::deleting);
    });
    const DeleteOutcome outcome = remove(row.id);
    here_->on_call({});
    EXPECT_TRUE(outcome.complete);
    EXPECT_EQ(outcome.row.state, BackupState::deleted);
    ASSERT_THAT(removed, SizeIs(of_one + 1));
    EXPECT_EQ(removed.front(), row.archive_key + "manifest.json");
    EXPECT_THAT(here_->keys(), SizeIs(of_one));
    EXPECT_THAT(here_->keys(), Each(HasSubstr(kept.id)));
    expect_at_rest();
    EXPECT_TRUE(remove(row.id).complete) << "a second time there is nothing to do";
    EXPECT_EQ(catalog_.backup(kept.id)->state, BackupState::completed);
    (void)run_restore(context(), restore_request(kept));
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
}

TEST_F(DeleteTest, AFailedBackupGoesWithItsLeftovers) {
    BackupRequest backup = request();
    set(backup.source, "fail-end", "true");
    here_->fail({.call = Call::list});
    (void)error_of([&] { (void)back_up(backup); });
    ASSERT_EQ(copy_at(only_row().id, "here").state, CopyState::uploading);
    EXPECT_EQ(remove(only_row().id).row.state, BackupState::deleted);
    expect_nothing_stored();
    EXPECT_EQ(only_row().error.empty(), false) << "the history stays";
}

TEST_F(DeleteTest, RefusesABackupThatRuns) {
    std::string status;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::commit || !key.ends_with("index.ndjson") || !status.empty()) return;
        status = bk::status_name(error_of([&] { (void)remove(only_row().id); }).status());
    });
    EXPECT_EQ(back_up().row.state, BackupState::completed);
    EXPECT_EQ(status, bk::status_name(BK_E_BUSY));
}

TEST_F(DeleteTest, RefusesABackupThatIsBeingRestored) {
    const BackupRow row = backed_up();
    bool refused = false;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::read || key.find("shop.bin") == std::string::npos || refused) return;
        refused = true;
        EXPECT_EQ(error_of([&] { (void)remove(row.id); }).status(), BK_E_BUSY);
    });
    (void)run_restore(context(), restore_request(row));
    here_->on_call({});
    EXPECT_TRUE(refused);
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
    expect_untouched(row);
}

/// A restore on a host with another catalog shows itself by its mark alone.
TEST_F(DeleteTest, RefusesWhileAFreshMarkSaysThatItIsRead) {
    const BackupRow row = backed_up();
    const std::string mark = mark_of(row, clock_.now() - kReadingMarkMs + 60'000);
    here_->set_object(mark, {});
    const bk::Error error = error_of([&] { (void)remove(row.id); });
    EXPECT_EQ(error.status(), BK_E_BUSY);
    EXPECT_THAT(error.message(), HasSubstr(mark));
    EXPECT_THAT(error.hint(), Not(IsEmpty()));
    expect_untouched(row);
    clock_.pass(120'000);
    EXPECT_TRUE(remove(row.id).complete) << "a mark of seven days is of a restore that died";
    expect_nothing_stored();
}

TEST_F(DeleteTest, ARestoreLeavesAMarkAndTakesItAway) {
    const BackupRow row = backed_up();
    const size_t objects = here_->keys().size();
    std::set<std::string> marks;
    here_->on_call([&](Call call, const std::string&, uint32_t) {
        if (call != Call::read) return;
        for (const std::string& key : here_->keys())
            if (key.starts_with(row.archive_key + "reading-")) marks.insert(key);
    });
    const RestoreRow restore = run_restore(context(), restore_request(row));
    here_->on_call({});
    ASSERT_THAT(marks, SizeIs(1));
    EXPECT_EQ(*marks.begin(),
              row.archive_key + "reading-" + format_time_compact(clock_.now()) + "-" + restore.id);
    EXPECT_THAT(here_->keys(), SizeIs(objects));
    RestoreRequest failing = restore_request(row);
    failing.replace = true;
    set(failing.target, "fail-load", "1");
    (void)error_of([&] { (void)run_restore(context(), failing); });
    EXPECT_THAT(here_->keys(), SizeIs(objects)) << "and when it fails";
}

TEST_F(DeleteTest, ARestoreFromAStorageThatMayOnlyBeReadNeedsNoMark) {
    const BackupRow row = backed_up();
    here_->fail({.call = Call::put, .status = BK_E_DENIED, .lasting = true});
    (void)run_restore(context(), restore_request(row));
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
    EXPECT_THAT(log_.lines(LogLevel::warn), IsEmpty());
}

TEST_F(DeleteTest, TheMarkOfARestoreThatDiedIsRemovedByTheNextStart) {
    const BackupRow row = backed_up();
    RestoreRow restore;
    restore.id = make_id(clock_);
    restore.backup_id = row.id;
    FakeProbe dying(200);
    {
        Catalog other(dir_.path / "catalog.db", clock_, dying);
        (void)other.begin_restore(restore);
    }
    const std::string foreign = mark_of(row, clock_.now());
    const std::string own =
        row.archive_key + "reading-" + format_time_compact(clock_.now()) + "-" + restore.id;
    here_->set_object(own, {});
    here_->set_object(foreign, {});
    probe_.set(200, 7, Presence::gone);
    EXPECT_EQ(reap(context(), open).restores, 1u);
    EXPECT_THROW((void)here_->object(own), bk::Error);
    EXPECT_NO_THROW((void)here_->object(foreign)) << "another restore reads it still";
}

// -- storages that do not answer

TEST_F(DeleteTest, AStorageThatDoesNotAnswerIsGoneOnWithLater) {
    const BackupRow row = backed_up(2);
    there_->fail({.call = Call::list, .lasting = true});
    const DeleteOutcome outcome = remove(row.id);
    EXPECT_FALSE(outcome.complete);
    EXPECT_EQ(outcome.row.state, BackupState::deleting);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::deleted);
    EXPECT_EQ(copy_at(row.id, "there").state, CopyState::deleting);
    EXPECT_THAT(copy_at(row.id, "there").error, HasSubstr("storage 'there'"));
    EXPECT_TRUE(log_.contains("is not deleted yet"));
    EXPECT_THAT(here_->keys(), IsEmpty());
    EXPECT_THAT(there_->keys(), Not(IsEmpty()));
    EXPECT_THAT(catalog_.leases(), IsEmpty());
    there_->clear_faults();
    here_->reset_counts();
    EXPECT_EQ(reap(context(), open).deletions, 1u);
    EXPECT_EQ(here_->calls(Call::list), 0u) << "what is done is not done again";
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::deleted);
    EXPECT_EQ(copy_at(row.id, "there").error, "");
    expect_nothing_stored();
    expect_at_rest();
}

TEST_F(DeleteTest, TheNextDeleteGoesOnAsWell) {
    const BackupRow row = backed_up();
    for (const Call call : {Call::remove, Call::list}) {
        here_->fail({.call = call, .lasting = true});
        EXPECT_FALSE(remove(row.id).complete);
        here_->clear_faults();
    }
    EXPECT_TRUE(remove(row.id).complete);
    expect_nothing_stored();
    expect_at_rest();
}

TEST_F(DeleteTest, EveryCallThatFailsLeavesItToTheNext) {
    for (const Call call : {Call::remove, Call::list})
        for (unsigned n = 1;; ++n) {
            const BackupRow row = backed_up();
            here_->reset_counts();
            here_->fail({.call = call, .nth = n});
            const bool complete = remove(row.id).complete;
            here_->clear_faults();
            const bool refused_nothing = call == Call::list && n == 1; // the look before
            if (complete && !refused_nothing) {
                EXPECT_LT(here_->calls(call), n);
                break;
            }
            (void)reap(context(), open);
            EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::deleted);
            expect_nothing_stored();
            expect_at_rest();
            ASSERT_LT(n, 50u);
        }
}

TEST_F(DeleteTest, AStorageThatIsNotKnownAnyMoreKeepsItDeleting) {
    const BackupRow row = backed_up();
    const DeleteOutcome outcome = delete_backup(
        context(),
        [](const CopyRow& copy) -> NamedDriver {
            throw bk::Error(BK_E_CONFIG, "no storage is called '" + copy.storage + "'");
        },
        row.id);
    EXPECT_FALSE(outcome.complete);
    EXPECT_THAT(outcome.copies.front().error, HasSubstr("no storage is called 'here'"));
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
}

TEST_F(DeleteTest, CancelledItIsGoneOnWithByTheNext) {
    const BackupRow row = backed_up();
    std::stop_source stop;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::remove || key.ends_with("manifest.json")) return;
        stop.request_stop();
        throw bk::Error(BK_E_CANCELLED, "interrupted");
    });
    EXPECT_EQ(
        error_of([&] { (void)delete_backup(context(stop.get_token()), open, row.id); }).status(),
        BK_E_CANCELLED);
    here_->on_call({});
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::deleting);
    EXPECT_THAT(catalog_.leases(), IsEmpty());
    EXPECT_EQ(reap(context(), open).deletions, 1u);
    expect_nothing_stored();
}

// -- one copy

TEST_F(DeleteTest, OneCopyGoesAndTheOtherIsRestored) {
    const BackupRow row = backed_up(2);
    const DeleteOutcome outcome = remove(row.id, "here");
    EXPECT_TRUE(outcome.complete);
    EXPECT_EQ(outcome.row.state, BackupState::completed);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::deleted);
    EXPECT_THAT(here_->keys(), IsEmpty());
    EXPECT_EQ(error_of([&] { (void)remove(row.id, "there"); }).status(), BK_E_INVALID);
    (void)run_restore(context(), restore_request(row, {"there"}));
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
    expect_at_rest();
}

TEST_F(DeleteTest, OneCopyOnAStorageThatIsAwayIsRemovedLater) {
    const BackupRow row = backed_up(2);
    here_->fail({.call = Call::remove, .lasting = true});
    EXPECT_FALSE(remove(row.id, "here").complete);
    here_->clear_faults();
    const ImportResult rebuilt = import_storage(context(), storage("here"));
    EXPECT_EQ(rebuilt.found, 1u);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::deleting) << "a rebuild does not undo it";
    EXPECT_EQ(reap(context(), open).deletions, 1u);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::deleted);
    EXPECT_THAT(here_->keys(), IsEmpty());
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::completed);
}

/// The manifest was listed, and is gone when it is read.
TEST_F(DeleteTest, ARebuildMeetsADeletion) {
    const BackupRow row = backed_up(2);
    bool gone = false;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::open || !key.ends_with("manifest.json") || std::exchange(gone, true))
            return;
        (void)remove(row.id, "here");
    });
    const ImportResult rebuilt = import_storage(context(), storage("here"));
    here_->on_call({});
    EXPECT_EQ(rebuilt.found, 0u);
    EXPECT_THAT(rebuilt.problems, IsEmpty());
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::deleted);
}

} // namespace
} // namespace bkhost::test
