// A backup that goes well: what is stored, in which order, what the rows say, and that it comes
// back.
#include "core/archive/manifest.hpp"
#include "core/job/job_fixture.hpp"

#include <nlohmann/json.hpp>

#include <mutex>

namespace bkhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string text_of(const MemoryStore& store, const std::string& key) {
    const MemoryStore::Data data = store.object(key);
    return {data.begin(), data.end()};
}

class BackupTest : public JobTest {
protected:
    [[nodiscard]] Manifest manifest_of(const MemoryStore& store) {
        return parse_manifest(text_of(store, key_of(store, "manifest.json")), "manifest");
    }
};

struct Combination {
    std::string compress, encrypt, format;
    bool ordered;
};
class EveryCombination : public JobTest, public ::testing::WithParamInterface<Combination> {};

TEST_P(EveryCombination, ComesBackEqual) {
    const auto& [compress, encrypt, format, ordered] = GetParam();
    BackupRequest backup = request();
    set(backup.source, "format", format);
    set(backup.source, "ordered", ordered ? "true" : "false");
    set(backup.source, "phases", "true");
    if (!compress.empty()) backup.compress = DriverSpec{compress, {}};
    if (!encrypt.empty()) backup.encrypt = DriverSpec{encrypt, {{"key", {"key one"}}}};
    const BackupOutcome outcome = back_up(backup);

    EXPECT_EQ(outcome.row.state, BackupState::completed);
    EXPECT_EQ(outcome.row.encryption, encrypt);
    EXPECT_EQ(outcome.row.compression, compress.empty() ? "" : compress + ":3");
    EXPECT_FALSE(outcome.partial);
    const RestoreRow restore = run_restore(context(), restore_request(outcome.row));
    EXPECT_EQ(restore.state, RestoreState::completed);
    EXPECT_EQ(restore.rows, outcome.row.rows);
    expect_same(source_->dumped(), synthetic_db("target")->loaded());
    EXPECT_EQ(synthetic_db("target")->loads_kept, 1);
    expect_at_rest();
}

std::vector<Combination> combinations() {
    std::vector<Combination> all;
    for (const char* compress : {"", "store", "swell"})
        for (const char* encrypt : {"", "xor", "xor-stream"})
            for (const char* format : {"binary", "sql"})
                for (const bool ordered : {false, true})
                    all.push_back({compress, encrypt, format, ordered});
    return all;
}
INSTANTIATE_TEST_SUITE_P(Codecs, EveryCombination, ::testing::ValuesIn(combinations()));

TEST_F(BackupTest, RowAndCopyTellWhatIsStored) {
    BackupRequest backup = request();
    backup.compress = DriverSpec{"store", {{"level", {"7"}}}};
    backup.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
    backup.tenant = "acme";
    backup.notes = "before the move";
    set(backup.source, "warning", "something odd");
    const BackupOutcome outcome = back_up(backup);
    const BackupRow& row = outcome.row;
    const Manifest manifest = manifest_of(*here_);

    EXPECT_EQ(row.archive_key, "production/acme/shop/" + row.id + "/");
    EXPECT_EQ(row.job, "nightly");
    EXPECT_EQ(row.engine, "synthetic");
    EXPECT_EQ(row.format, "binary");
    EXPECT_EQ(row.compression, "store:7");
    EXPECT_EQ(row.notes, "before the move");
    EXPECT_EQ(row.host_name, "db1");
    EXPECT_EQ(row.initiated_by, "tester");
    EXPECT_EQ(row.bkhost_version, "bkhost 9");
    EXPECT_THAT(row.warnings, ElementsAre("main.t0: something odd"));
    EXPECT_EQ(row.plain_size, 2 * 88 * 8192);
    EXPECT_EQ(row.rows, 2 * 88 * 10);
    EXPECT_EQ(row.manifest_sha256, manifest.sha256);
    EXPECT_EQ(row.key_ids, manifest.encryptor->key_fingerprints);
    int64_t stored = 0;
    for (const std::string& key : here_->keys())
        if (!key.ends_with("manifest.json"))
            stored += static_cast<int64_t>(here_->object(key).size());
    EXPECT_EQ(row.stored_size, stored);

    const CopyRow copy = copy_at(row.id, "here");
    EXPECT_EQ(copy.state, CopyState::stored);
    EXPECT_EQ(copy.size, stored);
    EXPECT_EQ(copy.manifest_sha256, manifest.sha256);
    EXPECT_EQ(copy.verified_level, VerifyLevel::quick);
    EXPECT_EQ(copy.verified_outcome, VerifyOutcome::ok);
    EXPECT_THAT(copy.error, IsEmpty());
}

TEST_F(BackupTest, ManifestCountsRowsFramesAndVolumes) {
    (void)back_up();
    const Manifest manifest = manifest_of(*here_);
    ASSERT_EQ(manifest.components.size(), 1u);
    const ComponentRecord& component = manifest.components.front();
    EXPECT_EQ(component.name, "shop");
    EXPECT_EQ(component.extension, "bin");
    EXPECT_GT(component.frames, 3u);
    EXPECT_GT(component.volumes.size(), 2u);
    EXPECT_EQ(component.rows, 1760u);
    EXPECT_TRUE(manifest.row_digest);
    EXPECT_EQ(manifest.rows, 1760u);
    uint64_t plain = 0;
    for (const ObjectRecord& volume : component.volumes)
        plain += volume.plain_size;
    EXPECT_EQ(plain, manifest.plain_size);
    EXPECT_EQ(manifest.warnings, 0u);
    EXPECT_FALSE(manifest.compressor);
    EXPECT_FALSE(manifest.encryptor);
}

TEST_F(BackupTest, ProofsBesideTheStreamAreCountedOnce) {
    BackupRequest backup = request();
    set(backup.source, "proof", "true");
    const BackupOutcome outcome = back_up(backup);
    EXPECT_EQ(outcome.row.rows, 1760);
    EXPECT_EQ(manifest_of(*here_).rows, 1760u);
}

TEST_F(BackupTest, SecretsOfTheDriversAreNeitherInTheManifestNorInTheRow) {
    BackupRequest backup = request();
    set(backup.source, "password", "s3cr3t");
    set(backup.storages.front().spec, "password", "s3cr3t");
    backup.encrypt = DriverSpec{"xor", {{"key", {"s3cr3t"}}}};
    backup.compress = DriverSpec{"store", {}};
    const BackupOutcome outcome = back_up(backup);
    EXPECT_THAT(text_of(*here_, key_of(*here_, "manifest.json")), Not(HasSubstr("s3cr3t")));
    for (const auto& [key, values] : outcome.copies.front().location.options)
        for (const std::string& value : values)
            EXPECT_NE(value, "s3cr3t") << key;
    for (const std::string& line : log_.lines())
        EXPECT_THAT(line, Not(HasSubstr("s3cr3t")));
}

TEST_F(BackupTest, TablesChosenReachTheDumper) {
    BackupRequest backup = request();
    backup.include_tables = {"t0"};
    backup.exclude_tables = {"t1"};
    (void)back_up(backup);
    const auto asked = nlohmann::json::parse(source_->last_request());
    EXPECT_EQ(asked["include"], nlohmann::json::array({"t0"}));
    EXPECT_EQ(asked["exclude"], nlohmann::json::array({"t1"}));
    EXPECT_EQ(asked["what"], "all");
}

TEST_F(BackupTest, VolumesAreCommittedBeforeTheIndexAndTheIndexBeforeTheManifest) {
    std::mutex mutex;
    std::vector<std::string> visible;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        const std::lock_guard lock(mutex);
        if ((call == Call::commit || call == Call::put) && !key.ends_with(".preflight"))
            visible.push_back(key.substr(key.rfind('/') + 1));
    });
    (void)back_up();
    ASSERT_GE(visible.size(), 4u);
    EXPECT_EQ(visible.back(), "manifest.json");
    EXPECT_EQ(visible[visible.size() - 2], "index.ndjson");
    for (size_t i = 0; i + 2 < visible.size(); ++i)
        EXPECT_THAT(visible[i], HasSubstr(".bin"));
}

TEST_F(BackupTest, TheDumpsOwnProofComesBeforeTheLastCommit) {
    int ended = -1;
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::commit && key.ends_with("index.ndjson")) ended = source_->ended_well;
    });
    (void)back_up();
    EXPECT_EQ(ended, 1);
}

/// Nobody but another run with the same id can have written it; it is not to be replaced.
TEST_F(BackupTest, AManifestThatIsThereIsNotReplaced) {
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::put && key.ends_with("manifest.json")) here_->set_object(key, {'x'});
    });
    const bk::Error error = error_of([&] { (void)back_up(); });
    EXPECT_EQ(error.status(), BK_E_EXISTS);
    EXPECT_EQ(only_row().state, BackupState::failed);
    expect_at_rest();
}

TEST_F(BackupTest, SeveralStoragesHoldTheSameBytes) {
    const BackupOutcome outcome = back_up(request_for_two(2));
    EXPECT_FALSE(outcome.partial);
    ASSERT_EQ(here_->keys(), there_->keys());
    for (const std::string& key : here_->keys())
        EXPECT_EQ(here_->object(key), there_->object(key)) << key;
    for (const CopyRow& copy : outcome.copies)
        EXPECT_EQ(copy.state, CopyState::stored);
}

TEST_F(BackupTest, WithoutAStorageNoRowIsMade) {
    BackupRequest backup = request();
    backup.storages.clear();
    EXPECT_EQ(error_of([&] { (void)back_up(backup); }).status(), BK_E_CONFIG);
    EXPECT_THAT(catalog_.list(), IsEmpty());
}

TEST_F(BackupTest, AnUnknownOptionIsFoundBeforeARowIsMade) {
    BackupRequest backup = request();
    set(backup.source, "colour", "red");
    EXPECT_EQ(error_of([&] { (void)back_up(backup); }).status(), BK_E_CONFIG);
    EXPECT_THAT(catalog_.list(), IsEmpty());
    expect_nothing_stored();
}

TEST_F(BackupTest, StagesAndCountsReachTheObserver) {
    const BackupOutcome outcome = back_up();
    EXPECT_THAT(observer_.stages(),
                ElementsAre("shop: preflight", "shop: dumping", "shop: storing"));
    EXPECT_EQ(observer_.plain.load(), static_cast<uint64_t>(outcome.row.plain_size));
    EXPECT_EQ(observer_.rows.load(), 1760u);
}

} // namespace
} // namespace bkhost::test
