// Backups that fail or are cancelled, at every call there is: nothing is left, and the row says
// why.
#include "core/job/job_fixture.hpp"

#include <atomic>
#include <future>

namespace bkhost::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BackupFailure : public JobTest {
protected:
    /// The run failed with `status`, its row says so, and nothing is left of it.
    void expect_failed(const bk::Error& error, bk_status status, const std::string& text) {
        EXPECT_EQ(error.status(), status) << error.what();
        EXPECT_THAT(error.what(), HasSubstr(text));
        const BackupRow row = catalog_.list().at(0);
        EXPECT_EQ(row.state, BackupState::failed);
        EXPECT_EQ(row.error, error.what());
        EXPECT_EQ(row.hint, error.hint());
        EXPECT_THAT(catalog_.list({.states = {BackupState::completed}}), IsEmpty());
        for (const CopyRow& copy : catalog_.copies(row.id))
            EXPECT_EQ(copy.state, CopyState::failed);
        expect_at_rest();
        expect_nothing_stored();
    }
};

// -- the dumper

TEST_F(BackupFailure, AMissingFooterLeavesNothing) {
    BackupRequest backup = request();
    set(backup.source, "fail-end", "true");
    expect_failed(error_of([&] { (void)back_up(backup); }), BK_E_CORRUPT, "footer is missing");
}

TEST_F(BackupFailure, AnEmptyDumpIsNoBackup) {
    BackupRequest backup = request();
    set(backup.source, "empty", "true");
    expect_failed(error_of([&] { (void)back_up(backup); }), BK_E_CORRUPT, "is empty");
}

TEST_F(BackupFailure, ASourceThatIsAwayTouchesNoStorage) {
    BackupRequest backup = request();
    set(backup.source, "fail-probe", "true");
    expect_failed(error_of([&] { (void)back_up(backup); }), BK_E_UNAVAILABLE, "the source is away");
    EXPECT_EQ(here_->calls(Call::upload) + here_->calls(Call::remove), 0u);
}

TEST_F(BackupFailure, TheDumperFailsAtAnyWrite) {
    const int64_t fragments = 2 * 88;
    for (int64_t n = 1; n <= fragments; n += n < 4 ? 1 : 43) {
        BackupRequest backup = request();
        set(backup.source, "fail-write", std::to_string(n));
        clock_.pass(1000); // the newest row stands first
        expect_failed(error_of([&] { (void)back_up(backup); }), BK_E_UNAVAILABLE,
                      "fragment " + std::to_string(n) + " made to fail");
    }
    EXPECT_EQ(source_->ended_well, 0);
    EXPECT_GT(source_->ended_badly, 0);
}

// -- the codecs

TEST_F(BackupFailure, TheCompressorFailsAtAFrame) {
    for (const int n : {1, 2}) {
        BackupRequest backup = request();
        backup.compress = DriverSpec{"store", {{"fail-frame", {std::to_string(n)}}}};
        clock_.pass(1000);
        expect_failed(error_of([&] { (void)back_up(backup); }), BK_E_INTERNAL, "made to fail");
    }
}

TEST_F(BackupFailure, TheEncryptorFailsAtAnyCall) {
    for (int n = 1;; n += n < 6 ? 1 : 11) {
        BackupRequest backup = request();
        backup.encrypt = DriverSpec{"xor", {{"fail-call", {std::to_string(n)}}}};
        clock_.pass(1000);
        try {
            (void)back_up(backup);
            ASSERT_GT(n, 3) << "the switch did nothing";
            return;
        } catch (const bk::Error& error) {
            expect_failed(error, BK_E_INTERNAL, "made to fail");
        }
        ASSERT_LT(n, 1000);
    }
}

// -- the storage

struct StorageFault {
    Call call;
    std::string name;
};
class EveryStorageCall : public BackupFailure,
                         public ::testing::WithParamInterface<StorageFault> {};

TEST_P(EveryStorageCall, FailsTheRunAndLeavesNothing) {
    const Call call = GetParam().call;
    for (unsigned n = 1;; ++n) {
        here_->clear_faults();
        here_->reset_counts();
        here_->fail({.call = call, .nth = n});
        clock_.pass(1000);
        try {
            const BackupOutcome outcome = back_up();
            EXPECT_LT(here_->calls(call), n) << "call " << n << " failed and nobody noticed";
            EXPECT_GT(n, 1u) << "no such call in a whole backup";
            EXPECT_EQ(outcome.row.state, BackupState::completed);
            expect_at_rest();
            return;
        } catch (const bk::Error& error) {
            expect_failed(error, BK_E_UNAVAILABLE, "made to fail");
        }
        ASSERT_FALSE(HasFailure()) << GetParam().name << " " << n;
        ASSERT_LT(n, 200u);
    }
}
INSTANTIATE_TEST_SUITE_P(
    Storage, EveryStorageCall,
    ::testing::Values(StorageFault{Call::probe, "probe"}, StorageFault{Call::upload, "upload"},
                      StorageFault{Call::part, "part"}, StorageFault{Call::commit, "commit"},
                      StorageFault{Call::stat, "stat"}, StorageFault{Call::open, "open"},
                      StorageFault{Call::read, "read"}, StorageFault{Call::put, "put"},
                      StorageFault{Call::remove, "remove"}),
    [](const auto& test) { return test.param.name; });

TEST_F(BackupFailure, AStorageThatCannotBeWrittenToIsFoundBeforeTheDump) {
    here_->fail({.call = Call::put, .status = BK_E_DENIED});
    expect_failed(error_of([&] { (void)back_up(); }), BK_E_DENIED, ".preflight");
    EXPECT_EQ(source_->last_request(), "") << "nothing was read";
    EXPECT_EQ(here_->calls(Call::upload), 0u);
}

/// One of two storages cannot be written to and is not required; the other one is tried as well.
TEST_F(BackupFailure, AStorageThatIsNotRequiredMayFailItsTrial) {
    here_->fail({.call = Call::put, .status = BK_E_DENIED, .key = ".preflight"});
    const BackupOutcome outcome = back_up(request_for_two(1));
    EXPECT_EQ(outcome.row.state, BackupState::completed);
    EXPECT_EQ(there_->calls(Call::put), 2u);
    EXPECT_TRUE(log_.contains(".preflight': made to fail"));
}

TEST_F(BackupFailure, AStorageThatLosesBytesSilentlyIsFoundOut) {
    here_->truncate_on_commit(1);
    expect_failed(error_of([&] { (void)back_up(); }), BK_E_CORRUPT, "bytes after the upload of");
}

TEST_F(BackupFailure, AStorageThatSpoilsTheLastBytesIsFoundOut) {
    here_->flip_on_read("shop.001.bin", 5);
    expect_failed(error_of([&] { (void)back_up(); }), BK_E_CORRUPT, "what was read back differs");
}

TEST_F(BackupFailure, ASpoiledManifestIsFoundOut) {
    here_->flip_on_read("manifest.json", 100);
    expect_failed(error_of([&] { (void)back_up(); }), BK_E_CORRUPT, "what was read back differs");
}

/// The request to stop comes while what a failure left is removed.
TEST_F(BackupFailure, ACleanUpThatHangsIsEndedByAStop) {
    BackupRequest backup = request();
    set(backup.source, "fail-end", "true");
    std::stop_source stop;
    const std::shared_ptr<Gate> gate = here_->block(Call::list);
    auto run = std::async(std::launch::async,
                          [&] { return run_backup(context(stop.get_token()), backup); });
    gate->wait_reached();
    stop.request_stop();
    EXPECT_EQ(error_of([&] { (void)run.get(); }).status(), BK_E_CORRUPT) << "the first error";
    EXPECT_EQ(only_row().state, BackupState::failed);
    EXPECT_EQ(copy_at(only_row().id, "here").state, CopyState::uploading);
}

TEST_F(BackupFailure, LeftoversThatCannotBeRemovedAreReportedInTheCopy) {
    here_->fail({.call = Call::put, .status = BK_E_NO_SPACE, .key = "manifest.json"});
    here_->fail({.call = Call::list, .lasting = true});
    const bk::Error error = error_of([&] { (void)back_up(); });
    EXPECT_EQ(error.status(), BK_E_NO_SPACE) << "the cause, not the clean-up";
    const BackupRow row = only_row();
    EXPECT_EQ(row.state, BackupState::failed);
    EXPECT_THAT(copy_at(row.id, "here").error, HasSubstr("leftovers were not removed"));
    EXPECT_TRUE(log_.contains("leftovers were not removed"));
    EXPECT_THAT(here_->keys(), Not(IsEmpty()));
    expect_at_rest();
}

// -- cancelled

struct Moment {
    Call call;
    std::string name;
};
class CancelAt : public BackupFailure, public ::testing::WithParamInterface<Moment> {};

/// Cancelled with nothing left, or, once the manifest is being stored, completed.
TEST_P(CancelAt, AnyCallOfTheStorage) {
    const Call call = GetParam().call;
    const std::set<Call> too_late{Call::put, Call::stat, Call::open, Call::read};
    for (unsigned n = 1;; ++n) {
        std::stop_source stop;
        std::atomic<unsigned> seen{0};
        here_->on_call([&](Call now, const std::string&, uint32_t) {
            if (now == call && ++seen == n) stop.request_stop();
        });
        clock_.pass(1000);
        try {
            (void)run_backup(context(stop.get_token()), request());
            EXPECT_TRUE(seen < n || too_late.contains(call)) << "it was not cancelled";
            EXPECT_EQ(catalog_.list().at(0).state, BackupState::completed);
            EXPECT_THAT(key_of(*here_, "manifest.json"), Not(IsEmpty()));
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CANCELLED) << error.what();
            EXPECT_EQ(catalog_.list().at(0).state, BackupState::cancelled);
            expect_nothing_stored();
        }
        here_->on_call({});
        expect_at_rest();
        for (const std::string& key : here_->keys())
            here_->erase(key);
        ASSERT_FALSE(HasFailure()) << GetParam().name << " " << n;
        if (seen < n) break;
        ASSERT_LT(n, 200u);
    }
}
INSTANTIATE_TEST_SUITE_P(Storage, CancelAt,
                         ::testing::Values(Moment{Call::probe, "probe"},
                                           Moment{Call::upload, "upload"},
                                           Moment{Call::part, "part"},
                                           Moment{Call::commit, "commit"},
                                           Moment{Call::stat, "stat"}, Moment{Call::open, "open"},
                                           Moment{Call::read, "read"}, Moment{Call::put, "put"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(BackupFailure, AHangingDumperIsWoken) {
    BackupRequest backup = request();
    set(backup.source, "hang", "true");
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_backup(context(stop.get_token()), backup); });
    });
    source_->wait_hanging();
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(only_row().state, BackupState::cancelled);
    expect_at_rest();
    expect_nothing_stored();
}

TEST_F(BackupFailure, AHangingStorageIsWoken) {
    const std::shared_ptr<Gate> gate = here_->block(Call::part, 2);
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_backup(context(stop.get_token()), request()); });
    });
    gate->wait_reached();
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(only_row().state, BackupState::cancelled);
    expect_at_rest();
    expect_nothing_stored();
}

/// A failure while another part hangs: the run ends with the failure, not as cancelled.
TEST_F(BackupFailure, AFailureWakesThePartsThatHangAndIsTheCause) {
    const std::shared_ptr<Gate> gate = there_->block(Call::part);
    here_->on_call([&](Call call, const std::string&, uint32_t) {
        if (call != Call::part) return;
        gate->wait_reached();
        throw bk::Error(BK_E_NO_SPACE, "the disk is full");
    });
    const bk::Error error = error_of([&] { (void)back_up(request_for_two(2)); });
    here_->on_call({});
    expect_failed(error, BK_E_NO_SPACE, "the disk is full");
}

TEST_F(BackupFailure, CancelledBeforeItBegan) {
    std::stop_source stop;
    stop.request_stop();
    const bk::Error error =
        error_of([&] { (void)run_backup(context(stop.get_token()), request()); });
    EXPECT_EQ(error.status(), BK_E_CANCELLED);
    EXPECT_EQ(only_row().state, BackupState::cancelled);
    expect_at_rest();
    expect_nothing_stored();
}

// -- two storages

class TwoStorages : public BackupFailure, public ::testing::WithParamInterface<StorageFault> {
protected:
    [[nodiscard]] static MemoryStore::Fault fault(bool at_manifest = false) {
        return {.call = GetParam().call, .lasting = true, .key = at_manifest ? "manifest" : ""};
    }
};

TEST_P(TwoStorages, OneMayFailWhenOneIsEnough) {
    there_->fail(fault());
    const BackupOutcome outcome = back_up(request_for_two(1));
    EXPECT_EQ(outcome.row.state, BackupState::completed);
    EXPECT_TRUE(outcome.partial);
    EXPECT_EQ(copy_at(outcome.row.id, "here").state, CopyState::stored);
    const CopyRow failed = copy_at(outcome.row.id, "there");
    EXPECT_EQ(failed.state, CopyState::failed);
    EXPECT_THAT(failed.error, HasSubstr("made to fail"));
    EXPECT_EQ(failed.manifest_sha256, "");
    EXPECT_EQ(failed.verified_outcome, VerifyOutcome::none);
    EXPECT_THAT(there_->keys(), IsEmpty()) << "what the failed copy has is never looked at again";
    expect_at_rest();
    (void)run_restore(context(), restore_request(outcome.row));
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
}

TEST_P(TwoStorages, NeitherKeepsAnythingWhenBothAreRequired) {
    there_->fail(fault());
    expect_failed(error_of([&] { (void)back_up(request_for_two(2)); }), BK_E_UNAVAILABLE,
                  "made to fail");
}
INSTANTIATE_TEST_SUITE_P(Call, TwoStorages,
                         ::testing::Values(StorageFault{Call::upload, "upload"},
                                           StorageFault{Call::part, "part"},
                                           StorageFault{Call::commit, "commit"},
                                           StorageFault{Call::stat, "stat"},
                                           StorageFault{Call::put, "put"}),
                         [](const auto& test) { return test.param.name; });

TEST_F(BackupFailure, ACopyThatIsLostAndCannotBeCleanedEitherSaysBoth) {
    there_->fail({.call = Call::put, .lasting = true});
    there_->fail({.call = Call::remove, .lasting = true});
    const BackupOutcome outcome = back_up(request_for_two(1));
    EXPECT_EQ(outcome.row.state, BackupState::completed);
    const CopyRow failed = copy_at(outcome.row.id, "there");
    EXPECT_TRUE(outcome.partial);
    EXPECT_EQ(failed.state, CopyState::uploading) << "whoever starts next looks again";
    EXPECT_THAT(failed.error, HasSubstr("made to fail; leftovers were not removed"));
    EXPECT_THAT(there_->keys(), Not(IsEmpty()));
}

TEST_F(BackupFailure, TheLastStorageFailsAfterTheOtherHasTheManifest) {
    there_->fail({.call = Call::put, .key = "manifest.json"});
    expect_failed(error_of([&] { (void)back_up(request_for_two(2)); }), BK_E_UNAVAILABLE,
                  "storage 'there'");
}

TEST_F(BackupFailure, AStorageThatDoesNotAnswerThePreflightIsTolerated) {
    there_->fail({.call = Call::probe});
    const BackupOutcome outcome = back_up(request_for_two(1));
    EXPECT_FALSE(outcome.partial) << "it came back in time";
    EXPECT_TRUE(log_.contains("made to fail"));
}

TEST_F(BackupFailure, TwoOfTwoThatFailTheOneThatIsRequired) {
    here_->fail({.call = Call::part, .lasting = true});
    there_->fail({.call = Call::commit, .lasting = true});
    expect_failed(error_of([&] { (void)back_up(request_for_two(1)); }), BK_E_UNAVAILABLE,
                  "made to fail");
}

} // namespace
} // namespace bkhost::test
