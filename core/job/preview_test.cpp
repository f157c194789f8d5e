// What a preview tells, and that it touches nothing.
#include "core/job/preview.hpp"

#include "core/job/job_fixture.hpp"

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class PreviewTest : public JobTest {
protected:
    /// As if the target had been loaded once, so that it is there and not empty.
    static void fill(RestoreRequest& request, unsigned tables) {
        set(request.target, "units", std::to_string(tables));
    }
    [[nodiscard]] static BackupRequest encrypted() {
        BackupRequest backup = request();
        backup.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
        backup.compress = DriverSpec{"store", {}};
        return backup;
    }
    [[nodiscard]] static std::vector<std::string> messages(const RestorePreview& preview) {
        std::vector<std::string> all;
        for (const bk::Error& error : preview.obstacles)
            all.push_back(error.message());
        return all;
    }
};

TEST_F(PreviewTest, TellsWhatWouldBeReadAndLoaded) {
    const BackupRow row = back_up(encrypted()).row;
    RestoreRequest restore = restore_request(row);
    fill(restore, 0);
    const RestorePreview preview = preview_restore(context(), restore);
    EXPECT_THAT(messages(preview), IsEmpty());
    EXPECT_EQ(preview.manifest.id, row.id);
    EXPECT_EQ(preview.storage, "here");
    EXPECT_TRUE(preview.index_read);
    ASSERT_THAT(preview.items, SizeIs(2));
    EXPECT_EQ(preview.items[0].kind, "table");
    EXPECT_EQ(preview.items[0].namespace_name, "main");
    EXPECT_EQ(preview.items[0].bytes, 88u * 8192);
    EXPECT_EQ(preview.items[0].rows, 880u);
    EXPECT_EQ(static_cast<int64_t>(preview.bytes_to_fetch), row.stored_size);
    EXPECT_EQ(static_cast<int64_t>(preview.bytes_to_load), row.plain_size);
    EXPECT_EQ(preview.objects, here_->keys().size() - 1);
    EXPECT_TRUE(preview.target.exists);
    EXPECT_EQ(preview.target.engine, "synthetic");
}

TEST_F(PreviewTest, WritesNothingAnywhere) {
    const BackupRow row = back_up(encrypted()).row;
    const std::vector<std::string> keys = here_->keys();
    here_->reset_counts();
    const size_t events = catalog_.events().size();
    (void)preview_restore(context(), restore_request(row));
    EXPECT_EQ(here_->keys(), keys);
    for (const Call call : {Call::put, Call::upload, Call::part, Call::commit, Call::remove})
        EXPECT_EQ(here_->calls(call), 0u);
    EXPECT_THAT(catalog_.restores(), IsEmpty());
    EXPECT_EQ(catalog_.events().size(), events);
    EXPECT_THAT(synthetic_db("target")->loaded(), IsEmpty());
    EXPECT_EQ(synthetic_db("target")->loads_undone, 0);
}

TEST_F(PreviewTest, AProvenTableHasRowsAndNoBytes) {
    BackupRequest backup = request();
    set(backup.source, "proof", "true");
    const RestorePreview preview = preview_restore(context(), restore_request(back_up(backup).row));
    size_t proven = 0;
    for (const PreviewItem& item : preview.items)
        if (!item.bytes) {
            EXPECT_EQ(item.rows, 880u);
            ++proven;
        }
    EXPECT_EQ(proven, 2u);
}

TEST_F(PreviewTest, WithoutAKeyTheManifestIsShown) {
    RestoreRequest restore = restore_request(back_up(encrypted()).row);
    fill(restore, 0);
    restore.decrypt = {};
    const RestorePreview preview = preview_restore(context(), restore);
    EXPECT_FALSE(preview.index_read);
    EXPECT_THAT(preview.items, IsEmpty());
    EXPECT_GT(preview.bytes_to_fetch, 0u);
    ASSERT_THAT(preview.obstacles, SizeIs(1));
    EXPECT_EQ(preview.obstacles[0].status(), BK_E_DENIED);
    EXPECT_THAT(preview.obstacles[0].what(), HasSubstr("no key is known here"));
}

TEST_F(PreviewTest, AWrongKeyIsAnObstacle) {
    RestoreRequest restore = restore_request(back_up(encrypted()).row);
    fill(restore, 0);
    restore.decrypt = [](const std::string&) { return OptionText{{"key", {"key two"}}}; };
    const RestorePreview preview = preview_restore(context(), restore);
    EXPECT_FALSE(preview.index_read);
    ASSERT_THAT(preview.obstacles, SizeIs(1));
    EXPECT_EQ(preview.obstacles[0].status(), BK_E_DENIED);
}

TEST_F(PreviewTest, ATargetThatIsNotEmptyIsInTheWayUnlessItMayBeReplaced) {
    RestoreRequest restore = restore_request(back_up().row);
    fill(restore, 3);
    RestorePreview preview = preview_restore(context(), restore);
    EXPECT_THAT(preview.target.tables, ElementsAre("main.t0", "main.t1", "main.t2"));
    EXPECT_THAT(messages(preview), ElementsAre("target 'target' is not empty"));
    EXPECT_EQ(preview.obstacles[0].status(), BK_E_EXISTS);
    restore.replace = true;
    EXPECT_THAT(messages(preview_restore(context(), restore)), IsEmpty());
    set(restore.target, "path", "/srv/target.db");
    restore.replace = false;
    preview = preview_restore(context(), restore);
    EXPECT_TRUE(preview.target.whole_file);
    EXPECT_THAT(messages(preview), ElementsAre("target 'target' exists"));
}

TEST_F(PreviewTest, OfSomeTablesOnlyTheirFramesAreCounted) {
    BackupRequest backup = request();
    set(backup.source, "format", "sql");
    set(backup.source, "phases", "true");
    const BackupRow row = back_up(backup).row;
    RestoreRequest restore = restore_request(row);
    restore.tables = {"t1"};
    fill(restore, 1); // the target has t0 and not t1
    RestorePreview preview = preview_restore(context(), restore);
    EXPECT_THAT(messages(preview), IsEmpty());
    EXPECT_THAT(preview.target.in_the_way, IsEmpty());
    EXPECT_LT(static_cast<int64_t>(preview.bytes_to_fetch), row.stored_size * 2 / 3);
    EXPECT_GE(preview.bytes_to_load, 88u * 8192);
    for (const PreviewItem& item : preview.items)
        EXPECT_NE(item.name, "t0");
    fill(restore, 2);
    preview = preview_restore(context(), restore);
    EXPECT_THAT(messages(preview), ElementsAre("target 'target' has main.t1 already"));
    EXPECT_THAT(preview.target.in_the_way, ElementsAre("main.t1"));
    restore.tables = {"nosuch"};
    EXPECT_THAT(messages(preview_restore(context(), restore)),
                ElementsAre(HasSubstr("has no table 'nosuch'")));
}

TEST_F(PreviewTest, OfTablesWithinAnImageTheDriverReadsWhatItNeeds) {
    BackupRequest backup = request();
    set(backup.source, "proof", "true");
    RestoreRequest restore = restore_request(back_up(backup).row);
    fill(restore, 0);
    restore.tables = {"t0"};
    const RestorePreview preview = preview_restore(context(), restore);
    EXPECT_TRUE(preview.at_most);
    ASSERT_THAT(preview.items, SizeIs(1));
    EXPECT_EQ(preview.items[0].name, "t0");
    EXPECT_FALSE(preview.prediction.duration_ms);
    restore.tables = {"t9"};
    EXPECT_THAT(messages(preview_restore(context(), restore)),
                ElementsAre(HasSubstr("has no table 't9'")));
}

TEST_F(PreviewTest, ATargetThatIsAwayIsAnObstacle) {
    RestoreRequest restore = restore_request(back_up().row);
    set(restore.target, "fail-probe", "true");
    const RestorePreview preview = preview_restore(context(), restore);
    EXPECT_THAT(messages(preview), ElementsAre(HasSubstr("the source is away")));
    EXPECT_THAT(preview.items, SizeIs(2)) << "the archive is told all the same";
}

TEST_F(PreviewTest, ATargetOfAnotherEngineIsAnObstacle) {
    const BackupRow row = back_up().row;
    Manifest manifest;
    manifest.id = row.id;
    manifest.engine.driver = "sqlite";
    manifest.components.resize(1);
    const bk::Error error = error_of([&] { check_restorable(manifest, "synthetic"); });
    EXPECT_EQ(error.status(), BK_E_CONFIG);
    manifest.components.resize(2);
    EXPECT_EQ(error_of([&] { check_restorable(manifest, "sqlite"); }).status(), BK_E_UNSUPPORTED);
}

TEST_F(PreviewTest, ADamagedCopyIsPassedByAndTheLastOneIsReported) {
    const BackupRow row = back_up(request_for_two(2)).row;
    RestoreRequest restore = restore_request(row, {"here", "there"});
    fill(restore, 0);
    here_->flip_bit(key_of(*here_, "index.ndjson"), 10);
    RestorePreview preview = preview_restore(context(), restore);
    EXPECT_EQ(preview.storage, "there");
    EXPECT_TRUE(preview.index_read);
    EXPECT_TRUE(log_.contains("trying storage 'there'"));
    there_->flip_bit(key_of(*there_, "index.ndjson"), 10);
    preview = preview_restore(context(), restore);
    EXPECT_FALSE(preview.index_read);
    ASSERT_THAT(preview.obstacles, SizeIs(1));
    EXPECT_EQ(preview.obstacles[0].status(), BK_E_CORRUPT);
    for (MemoryStore* store : {here_.get(), there_.get()})
        store->erase(key_of(*store, "manifest.json"));
    EXPECT_EQ(error_of([&] { (void)preview_restore(context(), restore); }).status(),
              BK_E_NOT_FOUND);
}

TEST_F(PreviewTest, ACancelIsNoObstacle) {
    const BackupRow row = back_up().row;
    here_->on_call([](Call call, const std::string&, uint32_t) {
        if (call == Call::open) throw bk::Error(BK_E_CANCELLED, "cancelled");
    });
    EXPECT_EQ(error_of([&] { (void)preview_restore(context(), restore_request(row)); }).status(),
              BK_E_CANCELLED);
}

// -- the predicted time

class PredictionTest : public JobTest {
protected:
    /// A finished restore of 1000 bytes a millisecond times `speed`.
    void restored(const std::string& backup, const std::string& storage, int64_t speed) {
        clock_.pass(1000);
        RestoreRow row;
        row.id = make_id(clock_);
        row.backup_id = backup;
        row.source = storage;
        row.environment = "staging";
        const Lease lease = catalog_.begin_restore(row);
        catalog_.transition(row.id, RestoreState::pending, RestoreState::running);
        clock_.pass(1000);
        RestoreChange change;
        change.bytes = speed * 1'000'000;
        catalog_.finish_restore(row.id, RestoreState::running, RestoreState::completed, change,
                                lease);
    }
    [[nodiscard]] Prediction predicted() const {
        return predict_restore(catalog_, "shop", "here", 60'000'000);
    }
};

TEST_F(PredictionTest, IsUnknownWithoutAnyMeasurement) {
    EXPECT_FALSE(predicted().duration_ms);
    EXPECT_EQ(predicted().basis, "nothing was restored here yet");
}

TEST_F(PredictionTest, GoesByWhatIsMostLikeIt) {
    BackupRequest other_request = request();
    other_request.source_name = "other";
    const std::string other = back_up(other_request).row.id;
    EXPECT_FALSE(predicted().duration_ms) << "a backup of another source says nothing";

    here_->on_call([&](Call call, const std::string&, uint32_t) {
        if (call == Call::probe) clock_.pass(1000);
    });
    const BackupRow row = back_up().row;
    here_->on_call({});
    ASSERT_EQ(row.duration_ms(), 1000);
    EXPECT_EQ(predicted().duration_ms, 60'000'000'000 / row.plain_size);
    EXPECT_EQ(predicted().basis, "going by 1 backup of 'shop', for nothing was restored here yet");

    restored(row.id, "there", 2);
    EXPECT_EQ(predicted().duration_ms, 30'000);
    EXPECT_EQ(predicted().basis, "going by 1 restore of 'shop'");
    restored(other, "here", 3);
    EXPECT_EQ(predicted().duration_ms, 20'000);
    EXPECT_EQ(predicted().basis, "going by 1 restore from storage 'here'");
    for (const int64_t speed : {1, 6, 100})
        restored(row.id, "here", speed);
    EXPECT_EQ(predicted().duration_ms, 10'000) << "one that went oddly does not count";
    EXPECT_EQ(predicted().basis, "the median of 3 restores of 'shop' from storage 'here'");
}

} // namespace
} // namespace bkhost::test
