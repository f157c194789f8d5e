// Rows and objects that a dead process left behind: adopted when the archive is whole, else
// removed; never removed when nobody can tell.
#include "core/job/reap.hpp"

#include "core/job/job_fixture.hpp"

#include <future>

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ReapTest : public JobTest {
protected:
    FakeProbe dying_{200}; ///< the process that dies

    static NamedDriver open(const CopyRow& copy) { return {copy.storage, copy.location}; }
    ReapResult reap_all() { return reap(context(), open); }

    /// All objects of a backup whose process died in `state`, as if it had got to the very end.
    BackupRow abandon(BackupState state, const BackupRequest& request = JobTest::request()) {
        Catalog elsewhere(dir_.path / "elsewhere.db", clock_, probe_);
        JobContext other{registry_, elsewhere,  log_,  observer_, {},
                         clock_,    "bkhost 9", "db1", "tester"};
        const BackupOutcome done = run_backup(other, request);
        BackupRow row;
        row.id = done.row.id;
        row.job = done.row.job;
        row.source = done.row.source;
        row.environment = done.row.environment;
        row.archive_key = done.row.archive_key;
        row.started_ms = done.row.started_ms;
        row.host_name = done.row.host_name;
        row.bkhost_version = done.row.bkhost_version;
        std::vector<CopyRow> copies;
        for (const CopyRow& copy : done.copies) {
            CopyRow begun;
            begun.storage = copy.storage;
            begun.location = copy.location;
            copies.push_back(std::move(begun));
        }

        Catalog dying(dir_.path / "catalog.db", clock_, dying_);
        const Lease lease = dying.begin_backup(row, copies);
        BackupState at = BackupState::pending;
        for (const BackupState next : {BackupState::running, BackupState::verifying}) {
            if (at == state) break;
            dying.transition(row.id, at, next, {}, &lease);
            at = next;
        }
        probe_.set(dying_.owner.pid, dying_.owner.start_ticks, Presence::gone);
        whole_ = done;
        return row;
    }
    void expect_interrupted(const std::string& id) {
        const BackupRow row = *catalog_.backup(id);
        EXPECT_EQ(row.state, BackupState::interrupted);
        EXPECT_EQ(row.error, "the process that ran it died");
        expect_at_rest();
    }

    BackupOutcome whole_; ///< what the last abandon() would have become
};

/// A run that dies between any two objects: the manifest alone makes an archive.
TEST_F(ReapTest, DeathAfterAnyObject) {
    for (size_t kept = 0;; ++kept) {
        clock_.pass(1000);
        const BackupRow row = abandon(BackupState::verifying);
        std::vector<std::string> written; // in the order of writing
        for (const char* part : {"/shop.bin", "/shop.001.bin", "/shop.002.bin", "/shop.003.bin",
                                 "/index.ndjson", "/manifest.json"})
            for (const std::string& key : here_->keys())
                if (key.ends_with(part)) written.push_back(key);
        ASSERT_EQ(written.size(), here_->keys().size());
        for (size_t i = kept; i < written.size(); ++i)
            here_->erase(written[i]);
        if (kept < written.size()) here_->add_stale_upload(written[kept]);

        const ReapResult result = reap_all();
        if (kept == written.size()) {
            EXPECT_EQ(result.adopted, 1u);
            EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::completed);
            EXPECT_EQ(here_->keys().size(), written.size());
            expect_at_rest();
            return;
        }
        EXPECT_EQ(result.interrupted, 1u);
        EXPECT_EQ(result.adopted, 0u);
        expect_interrupted(row.id);
        EXPECT_EQ(copy_at(row.id, "here").state, CopyState::failed);
        expect_nothing_stored();
    }
}

TEST_F(ReapTest, AnAdoptedRowSaysWhatTheRunWouldHaveSaid) {
    BackupRequest backup = request();
    backup.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
    const BackupRow row = abandon(BackupState::running, backup);
    EXPECT_EQ(reap_all().adopted, 1u);
    const BackupRow adopted = *catalog_.backup(row.id);
    EXPECT_EQ(adopted.state, BackupState::completed);
    EXPECT_EQ(adopted.engine, whole_.row.engine);
    EXPECT_EQ(adopted.engine_version, whole_.row.engine_version);
    EXPECT_EQ(adopted.format, whole_.row.format);
    EXPECT_EQ(adopted.plain_size, whole_.row.plain_size);
    EXPECT_EQ(adopted.stored_size, whole_.row.stored_size);
    EXPECT_EQ(adopted.rows, whole_.row.rows);
    EXPECT_EQ(adopted.key_ids, whole_.row.key_ids);
    EXPECT_EQ(adopted.manifest_sha256, whole_.row.manifest_sha256);
    EXPECT_EQ(adopted.finished_ms, whole_.row.finished_ms);
    EXPECT_EQ(adopted.error, "");
    const CopyRow copy = copy_at(row.id, "here");
    EXPECT_EQ(copy.state, CopyState::stored);
    EXPECT_EQ(copy.size, whole_.copies.front().size);
    EXPECT_EQ(copy.manifest_sha256, whole_.row.manifest_sha256);
    (void)run_restore(context(), restore_request(adopted));
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
}

TEST_F(ReapTest, AManifestWithAShortObjectIsNotAdopted) {
    const BackupRow row = abandon(BackupState::verifying);
    const std::string key = key_of(*here_, "shop.001.bin");
    MemoryStore::Data data = here_->object(key);
    data.pop_back();
    here_->set_object(key, std::move(data));
    EXPECT_EQ(reap_all().adopted, 0u);
    expect_interrupted(row.id);
    expect_nothing_stored();
}

TEST_F(ReapTest, AManifestWithoutItsIndexIsNotAdopted) {
    const BackupRow row = abandon(BackupState::verifying);
    here_->erase(key_of(*here_, "index.ndjson"));
    EXPECT_EQ(reap_all().adopted, 0u);
    expect_interrupted(row.id);
    expect_nothing_stored();
}

TEST_F(ReapTest, APendingRowTouchesNoStorage) {
    const BackupRow row = abandon(BackupState::pending);
    here_->reset_counts();
    EXPECT_EQ(reap_all().interrupted, 1u);
    expect_interrupted(row.id);
    EXPECT_EQ(here_->calls(Call::stat) + here_->calls(Call::list) + here_->calls(Call::remove), 0u);
}

// -- storages that do not answer

TEST_F(ReapTest, LeftoversOnAStorageThatIsAwayAreReportedAndRemovedLater) {
    const BackupRow row = abandon(BackupState::running);
    here_->erase(key_of(*here_, "manifest.json"));
    here_->fail({.call = Call::list, .lasting = true});
    EXPECT_EQ(reap_all().interrupted, 1u);
    expect_interrupted(row.id);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::uploading) << "something is still there";
    EXPECT_THAT(copy_at(row.id, "here").error, HasSubstr("storage 'here'"));
    EXPECT_TRUE(log_.contains("left something behind"));
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
    here_->clear_faults();
    EXPECT_EQ(reap_all().interrupted, 0u);
    expect_interrupted(row.id);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::failed);
    expect_nothing_stored();
}

TEST_F(ReapTest, LeftoversOfARunThatFailedAreRemovedByTheNext) {
    BackupRequest backup = request();
    set(backup.source, "fail-end", "true");
    here_->fail({.call = Call::list});
    (void)error_of([&] { (void)back_up(backup); });
    EXPECT_EQ(copy_at(only_row().id, "here").state, CopyState::uploading);
    (void)reap_all();
    EXPECT_EQ(only_row().state, BackupState::failed);
    EXPECT_EQ(copy_at(only_row().id, "here").state, CopyState::failed);
    expect_at_rest();
    expect_nothing_stored();
}

/// Its manifest was stored, could not be read back, and then not be removed.
TEST_F(ReapTest, AWholeArchiveOfARunThatFailedIsRemoved) {
    here_->fail({.call = Call::stat, .key = "manifest.json"});
    here_->fail({.call = Call::remove, .key = "manifest.json"});
    (void)error_of([&] { (void)back_up(); });
    EXPECT_THAT(key_of(*here_, "manifest.json"), Not(IsEmpty()));
    EXPECT_EQ(reap_all().adopted, 0u);
    EXPECT_EQ(only_row().state, BackupState::failed);
    EXPECT_EQ(copy_at(only_row().id, "here").state, CopyState::failed);
    expect_nothing_stored();
}

/// It could have been removed all the same: the archive may be whole.
TEST_F(ReapTest, AnArchiveThatCouldNotBeLookedAtIsNotRemoved) {
    for (const Call call : {Call::stat, Call::open, Call::read}) {
        clock_.pass(1000);
        const BackupRow row = abandon(BackupState::verifying);
        const size_t objects = here_->keys().size();
        here_->fail({.call = call, .lasting = true});
        EXPECT_EQ(reap_all().interrupted, 1u);
        expect_interrupted(row.id);
        EXPECT_EQ(here_->keys().size(), objects);
        EXPECT_EQ(copy_at(row.id, "here").state, CopyState::uploading);
        here_->clear_faults();
        EXPECT_EQ(reap_all().adopted, 1u) << "it answers again, and all is there";
        EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::completed);
        EXPECT_EQ(copy_at(row.id, "here").state, CopyState::stored);
        for (const std::string& key : here_->keys())
            here_->erase(key);
    }
}

TEST_F(ReapTest, AStorageThatIsNotKnownAnyMoreKeepsItsLeftovers) {
    const BackupRow row = abandon(BackupState::running);
    const ReapResult result = reap(context(), [](const CopyRow& copy) -> NamedDriver {
        throw bk::Error(BK_E_CONFIG, "no storage is called '" + copy.storage + "'");
    });
    EXPECT_EQ(result.interrupted, 1u);
    expect_interrupted(row.id);
    EXPECT_THAT(copy_at(row.id, "here").error, HasSubstr("no storage is called 'here'"));
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
}

// -- two copies

TEST_F(ReapTest, OneWholeCopyIsEnoughAndTheOtherIsRemoved) {
    const BackupRow row = abandon(BackupState::verifying, request_for_two(2));
    there_->erase(key_of(*there_, "shop.001.bin"));
    EXPECT_EQ(reap_all().adopted, 1u);
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::completed);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::stored);
    EXPECT_EQ(copy_at(row.id, "there").state, CopyState::failed);
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
    EXPECT_THAT(there_->keys(), IsEmpty());
    expect_at_rest();
}

TEST_F(ReapTest, AWholeCopyIsAdoptedThoughTheOtherStorageIsAway) {
    const BackupRow row = abandon(BackupState::verifying, request_for_two(2));
    here_->fail({.call = Call::stat, .lasting = true});
    EXPECT_EQ(reap_all().adopted, 1u);
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::uploading);
    EXPECT_EQ(copy_at(row.id, "there").state, CopyState::stored);
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
    here_->clear_faults();
    (void)reap_all();
    EXPECT_EQ(copy_at(row.id, "here").state, CopyState::stored) << "it was whole all the time";
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::completed);
}

// -- again, and at once

TEST_F(ReapTest, TheSecondTimeThereIsNothingToDo) {
    (void)abandon(BackupState::verifying);
    EXPECT_EQ(reap_all().adopted, 1u);
    here_->reset_counts();
    const ReapResult again = reap_all();
    EXPECT_EQ(again.adopted + again.interrupted + again.restores, 0u);
    EXPECT_EQ(here_->calls(Call::stat), 0u);
}

TEST_F(ReapTest, OfTwoReapersOneDoesTheWork) {
    const BackupRow row = abandon(BackupState::verifying);
    const std::shared_ptr<Gate> gate = here_->block(Call::stat);
    auto first = std::async(std::launch::async, [&] { return reap_all(); });
    gate->wait_reached(); // it holds the row and looks at the storage
    FakeProbe other_process(300);
    other_process.set(dying_.owner.pid, dying_.owner.start_ticks, Presence::gone);
    Catalog other(dir_.path / "catalog.db", clock_, other_process);
    const ReapResult second =
        reap({registry_, other, log_, observer_, {}, clock_, "bkhost 9", "db1", "tester"}, open);
    EXPECT_EQ(second.adopted + second.interrupted, 0u);
    gate->open();
    EXPECT_EQ(first.get().adopted, 1u);
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::completed);
    expect_at_rest();
}

TEST_F(ReapTest, ARunThatLivesIsLeftAlone) {
    const BackupRow row = abandon(BackupState::running);
    probe_.set(dying_.owner.pid, dying_.owner.start_ticks, Presence::alive);
    const ReapResult result = reap_all();
    EXPECT_EQ(result.adopted + result.interrupted, 0u);
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::running);
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
}

TEST_F(ReapTest, ACancelledReaperLeavesTheRowToTheNext) {
    const BackupRow row = abandon(BackupState::verifying);
    here_->fail({.call = Call::stat, .status = BK_E_CANCELLED});
    EXPECT_EQ(error_of([&] { reap_all(); }).status(), BK_E_CANCELLED);
    EXPECT_EQ(catalog_.backup(row.id)->state, BackupState::verifying);
    EXPECT_EQ(reap_all().adopted, 1u);
}

TEST_F(ReapTest, RestoresAreInterrupted) {
    RestoreRow row;
    row.id = make_id(clock_);
    row.backup_id = make_id(clock_);
    row.target = "target";
    row.started_ms = clock_.now();
    {
        Catalog dying(dir_.path / "catalog.db", clock_, dying_);
        const Lease lease = dying.begin_restore(row);
        dying.transition(row.id, RestoreState::pending, RestoreState::running, {}, &lease);
    }
    probe_.set(dying_.owner.pid, dying_.owner.start_ticks, Presence::gone);
    const ReapResult result = reap_all();
    EXPECT_EQ(result.restores, 1u);
    EXPECT_EQ(catalog_.restore(row.id)->state, RestoreState::interrupted);
    EXPECT_EQ(catalog_.restore(row.id)->error, "the process that ran it died");
    expect_at_rest();
}

/// The run was only asleep: another process took it for dead and removed its objects.
TEST_F(ReapTest, ASleeperThatIsReapedStoresNoManifest) {
    FakeProbe other_process(300);
    other_process.set(probe_.owner.pid, probe_.owner.start_ticks, Presence::gone);
    Catalog other(dir_.path / "catalog.db", clock_, other_process);
    bool reaped = false;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call != Call::commit || !key.ends_with("index.ndjson") || std::exchange(reaped, true))
            return;
        (void)reap({registry_, other, log_, observer_, {}, clock_, "bkhost 9", "db1", "tester"},
                   open);
    });
    EXPECT_EQ(error_of([&] { (void)back_up(); }).status(), BK_E_BUSY);
    here_->on_call({});
    EXPECT_TRUE(reaped);
    EXPECT_EQ(only_row().state, BackupState::interrupted);
    EXPECT_TRUE(log_.contains("was not written"));
    expect_at_rest();
    expect_nothing_stored();
}

} // namespace
} // namespace bkhost::test
