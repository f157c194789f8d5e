// Without the index: the whole database comes back, and the index can be made anew; whatever fails
// on the way leaves the archive as it was.
#include "core/job/job_fixture.hpp"
#include "core/job/reindex.hpp"
#include "core/job/verify.hpp"

#include <functional>
#include <future>

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Packing {
    std::string compress, encrypt, format;
};

class ReindexTest : public JobTest {
protected:
    std::shared_ptr<SyntheticDb> target_ = synthetic_db("target");
    const DecryptOptions decrypt_ = [](const std::string&) {
        return OptionText{{"key", {"key one"}}};
    };
    std::string encryptor_ = "xor", recipient_ = "key one";
    const EncryptFor encrypt_ = [this](const Manifest&) {
        return std::optional<DriverSpec>({encryptor_, {{"key", {recipient_}}}});
    };

    [[nodiscard]] BackupRow back_up_as(const Packing& packing) {
        BackupRequest backup = request();
        set(backup.source, "format", packing.format);
        set(backup.source, "phases", "true");
        set(backup.source, "huge", "900000"); // several frames
        if (!packing.compress.empty()) backup.compress = DriverSpec{packing.compress, {}};
        if (!packing.encrypt.empty())
            backup.encrypt = DriverSpec{packing.encrypt, {{"key", {"key one"}}}};
        if (!packing.encrypt.empty()) encryptor_ = packing.encrypt;
        return back_up(backup).row;
    }
    [[nodiscard]] ReindexResult reindex(const BackupRow& row, std::stop_token stop = {}) {
        return reindex_archive(context(std::move(stop)), place("here", row), decrypt_, encrypt_);
    }
    [[nodiscard]] RestoreRequest sequential(const BackupRow& row) {
        RestoreRequest restore = restore_request(row);
        restore.sequential = true;
        restore.replace = true;
        return restore;
    }
    [[nodiscard]] std::string stream(const BackupRow& row) {
        std::string bytes;
        stream_archive(context(), place("here", row), decrypt_, 0,
                       [&](std::span<const uint8_t> more) {
                           bytes.append(reinterpret_cast<const char*>(more.data()), more.size());
                       });
        return bytes;
    }
    [[nodiscard]] Manifest manifest() {
        const MemoryStore::Data data = here_->object(key_of(*here_, "manifest.json"));
        return parse_manifest({reinterpret_cast<const char*>(data.data()), data.size()}, "");
    }
    void lose_index() { here_->erase(key_of(*here_, "/index.")); }
    void spoil_index() {
        const std::string key = key_of(*here_, "/index.");
        here_->flip_bit(key, here_->object(key).size() / 2);
    }
    /// Every object of the archive, by key.
    [[nodiscard]] std::map<std::string, MemoryStore::Data> objects() {
        std::map<std::string, MemoryStore::Data> all;
        for (const std::string& key : here_->keys())
            all[key] = here_->object(key);
        return all;
    }
};

class Packed : public ReindexTest, public ::testing::WithParamInterface<Packing> {};

TEST_P(Packed, ComesBackWithoutItsIndexAndWithANewOne) {
    const BackupRow row = back_up_as(GetParam());
    const std::string dump = stream(row);
    for (const bool lost : {true, false}) {
        clock_.pass(1000);
        lost ? lose_index() : spoil_index();
        RestoreRequest replacing = restore_request(row);
        replacing.replace = true;
        const bk::Error error = error_of([&] { (void)run_restore(context(), replacing); });
        EXPECT_EQ(error.status(), BK_E_CORRUPT) << error.what();
        EXPECT_THAT(error.hint(), HasSubstr("--sequential"));
        EXPECT_THAT(error.hint(), HasSubstr("reindex"));

        if (GetParam().format == "sql") { // of the other format the parts are not known
            const RestoreRow restored = run_restore(context(), sequential(row));
            EXPECT_EQ(restored.rows, row.rows);
            expect_same(source_->dumped(), target_->loaded(), false);
        }
        const ReindexResult result = reindex(row);
        EXPECT_FALSE(result.whole);
        EXPECT_GT(result.frames, 3u);
        EXPECT_EQ(manifest().index.key, result.index);
        EXPECT_EQ(stream(row), dump);
        const VerifyResult verified =
            verify_archive(context(), place("here", row), VerifyLevel::full, decrypt_, 0);
        EXPECT_EQ(verified.outcome, VerifyOutcome::ok);
        if (GetParam().format == "sql") {
            EXPECT_EQ(run_restore(context(), replacing).rows, row.rows);
            expect_same(source_->dumped(), target_->loaded(), false);
        }
        EXPECT_TRUE(reindex(row).whole);
    }
    size_t indexes = 0;
    for (const std::string& key : here_->keys())
        indexes += key.find("/index.") != std::string::npos ? 1 : 0;
    EXPECT_EQ(indexes, 1u);
    expect_at_rest();
}

std::vector<Packing> packings() {
    std::vector<Packing> all;
    for (const char* compress : {"", "store", "swell"})
        for (const char* encrypt : {"", "xor", "xor-stream"})
            for (const char* format : {"binary", "sql"})
                all.push_back({compress, encrypt, format});
    return all;
}
INSTANTIATE_TEST_SUITE_P(Codecs, Packed, ::testing::ValuesIn(packings()));

TEST_F(ReindexTest, TheCatalogFollowsAndWhatWasVerifiedIsForgotten) {
    const BackupRow row = back_up_as({"store", "", "sql"});
    (void)verify_archive(context(), place("here", row), VerifyLevel::full, decrypt_, 0);
    lose_index();
    const ReindexResult result = reindex(row);
    EXPECT_NE(result.manifest_sha256, row.manifest_sha256);
    EXPECT_EQ(only_row().manifest_sha256, result.manifest_sha256);
    const CopyRow copy = copy_at(row.id, "here");
    EXPECT_EQ(copy.manifest_sha256, result.manifest_sha256);
    EXPECT_EQ(copy.verified_level, VerifyLevel::none);
    EXPECT_EQ(copy.verified_outcome, VerifyOutcome::none);
    EXPECT_EQ(copy.size, only_row().stored_size);
    const Manifest now = manifest();
    EXPECT_EQ(now.rows, static_cast<uint64_t>(row.rows));
    EXPECT_FALSE(now.row_digest);
    EXPECT_EQ(now.warnings, 1u);
}

TEST_F(ReindexTest, WhereverItFailsTheArchiveIsAsItWasOrWhole) {
    const BackupRow row = back_up_as({"store", "xor", "sql"});
    lose_index();
    const auto before = objects();
    for (const Call call : {Call::stat, Call::open, Call::read, Call::upload, Call::part,
                            Call::commit, Call::put, Call::list, Call::remove})
        for (unsigned nth = 1;; ++nth) {
            ASSERT_LT(nth, 300u);
            SCOPED_TRACE("call " + std::to_string(static_cast<int>(call)) + " no " +
                         std::to_string(nth));
            here_->fail({.call = call, .nth = nth});
            bool failed = false;
            try {
                (void)reindex(row);
            } catch (const bk::Error& error) {
                EXPECT_EQ(error.status(), BK_E_UNAVAILABLE) << error.what();
                failed = true;
            }
            here_->clear_faults();
            expect_at_rest();
            if (failed && call != Call::put) {
                EXPECT_TRUE(objects() == before);
            }
            if (!failed) { // the failure was not reached, or cost nothing but room
                EXPECT_TRUE(reindex(row).whole);
                for (const auto& [key, data] : objects())
                    if (!before.contains(key)) here_->erase(key);
                for (const auto& [key, data] : before)
                    here_->set_object(key, data);
                if (call != Call::list && call != Call::remove) break;
                if (nth > 2) break;
            }
        }
}

TEST_F(ReindexTest, AnIndexLeftBehindByADeadRebuildIsRemoved) {
    const BackupRow row = back_up_as({"", "", "sql"});
    spoil_index();
    const std::string left = row.archive_key + "index.20260101T000000Z-aaaaaa.ndjson";
    here_->set_object(left, {'x'});
    const ReindexResult result = reindex(row);
    EXPECT_THAT(here_->keys(), ::testing::Not(::testing::Contains(left)));
    EXPECT_THAT(here_->keys(), ::testing::Contains(row.archive_key + result.index));
}

TEST_F(ReindexTest, TwoCannotRunAtOnce) {
    const BackupRow row = back_up_as({"store", "", "sql"});
    lose_index();
    const std::shared_ptr<Gate> gate = here_->block(Call::open, 1, "shop.sql");
    auto first = std::async(std::launch::async, [&] { return reindex(row); });
    gate->wait_reached();
    const bk::Error error = error_of([&] { (void)reindex(row); });
    EXPECT_EQ(error.status(), BK_E_BUSY);
    gate->open();
    EXPECT_FALSE(first.get().whole);
    expect_at_rest();
}

TEST_F(ReindexTest, CancelledItLeavesTheArchiveAsItWas) {
    const BackupRow row = back_up_as({"store", "", "sql"});
    lose_index();
    const auto before = objects();
    const std::shared_ptr<Gate> gate = here_->block(Call::open, 1, "shop.sql");
    std::stop_source stop;
    auto run = std::async(std::launch::async,
                          [&] { return error_of([&] { (void)reindex(row, stop.get_token()); }); });
    gate->wait_reached();
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    here_->clear_faults();
    EXPECT_TRUE(objects() == before);
    expect_at_rest();
}

TEST_F(ReindexTest, AnArchiveThatWasChangedMeanwhileIsLeftAlone) {
    const BackupRow row = back_up_as({"store", "", "sql"});
    lose_index();
    const std::string key = key_of(*here_, "manifest.json");
    here_->on_call([&](Call call, const std::string&, uint32_t) {
        if (call == Call::commit) here_->erase(key);
    });
    const bk::Error error = error_of([&] { (void)reindex(row); });
    here_->on_call({});
    EXPECT_EQ(error.status(), BK_E_BUSY);
    EXPECT_THAT(error.what(), HasSubstr("changed meanwhile"));
    for (const std::string& left : here_->keys())
        EXPECT_EQ(left.find("/index."), std::string::npos) << left;
}

TEST_F(ReindexTest, RecipientsMustBeTheArchivesOwn) {
    const BackupRow row = back_up_as({"store", "xor", "sql"});
    lose_index();
    const auto before = objects();
    recipient_ = "key two";
    EXPECT_THAT(error_of([&] { (void)reindex(row); }).what(), HasSubstr("not for xor:"));
    encryptor_ = "xor-stream";
    EXPECT_THAT(error_of([&] { (void)reindex(row); }).what(), HasSubstr("not by xor-stream"));
    const bk::Error error =
        error_of([&] { (void)reindex_archive(context(), place("here", row), decrypt_, {}); });
    EXPECT_EQ(error.status(), BK_E_CONFIG);
    EXPECT_THAT(error.hint(), HasSubstr("--encrypt xor:"));
    EXPECT_EQ(error_of([&] {
                  (void)reindex_archive(context(), place("here", row), {}, encrypt_);
              }).status(),
              BK_E_DENIED);
    EXPECT_TRUE(objects() == before);
}

// -- restore --sequential

TEST_F(ReindexTest, SingleTablesNeedTheIndex) {
    RestoreRequest restore = sequential(back_up_as({"store", "", "sql"}));
    restore.tables = {"t0"};
    EXPECT_EQ(error_of([&] { (void)run_restore(context(), restore); }).status(), BK_E_CONFIG);
    EXPECT_THAT(catalog_.restores(), IsEmpty());
}

TEST_F(ReindexTest, TheIndexIsNeverOpened) {
    const BackupRow row = back_up_as({"store", "xor", "sql"});
    here_->fail({.call = Call::stat, .lasting = true, .key = "/index."});
    here_->fail({.call = Call::open, .lasting = true, .key = "/index."});
    EXPECT_EQ(run_restore(context(), sequential(row)).state, RestoreState::completed);
    expect_same(source_->dumped(), target_->loaded(), false);
}

TEST_F(ReindexTest, DamagedVolumesAreNeverCommitted) {
    for (const char* compress : {"", "store"})
        for (const char* encrypt : {"", "xor"}) {
            clock_.pass(1000);
            const BackupRow row = back_up_as({compress, encrypt, "sql"});
            for (const std::string& key : here_->keys()) {
                if (key.find(row.id + "/shop") == std::string::npos) continue;
                const size_t size = here_->object(key).size();
                for (const size_t at : {size_t{0}, size / 2, size - 1}) {
                    here_->flip_bit(key, at);
                    clock_.pass(1000);
                    const bk::Error error =
                        error_of([&] { (void)run_restore(context(), sequential(row)); });
                    EXPECT_EQ(error.status(), BK_E_CORRUPT) << error.what();
                    here_->flip_bit(key, at);
                }
                const MemoryStore::Data whole = here_->object(key);
                here_->erase(key);
                clock_.pass(1000);
                EXPECT_THAT(error_of([&] { (void)run_restore(context(), sequential(row)); }).what(),
                            HasSubstr("missing"));
                here_->set_object(key, whole);
            }
            EXPECT_EQ(target_->loads_kept, 0);
        }
    expect_at_rest();
}

TEST_F(ReindexTest, ADamagedCopyIsReplacedByTheNext) {
    const BackupRow row = back_up(request_for_two(2)).row;
    here_->flip_bit(key_of(*here_, "shop.001.bin"), 9);
    there_->erase(key_of(*there_, "/index."));
    RestoreRequest restore = restore_request(row, {"here", "there"});
    restore.sequential = true;
    EXPECT_EQ(run_restore(context(), restore).source, "there");
}

TEST_F(ReindexTest, AMarkerOfAnotherNonceIsNone) {
    const BackupRow row = back_up_as({"", "", "sql"});
    const std::string key = key_of(*here_, "manifest.json");
    Manifest forged = manifest();
    forged.components.front().marker = std::string(32, '0');
    const std::string text = manifest_text(forged);
    here_->set_object(key, {text.begin(), text.end()});
    EXPECT_THAT(error_of([&] { (void)run_restore(context(), sequential(row)); }).what(),
                HasSubstr("bytes of no section"));
    EXPECT_EQ(target_->loads_kept, 0);
}

TEST_F(ReindexTest, ALoaderThatLeavesBytesIsAnError) {
    RestoreRequest restore = sequential(back_up_as({"", "", "sql"}));
    set(restore.target, "lazy-load", "true");
    EXPECT_EQ(error_of([&] { (void)run_restore(context(), restore); }).status(), BK_E_INTERNAL);
}

} // namespace
} // namespace bkhost::test
