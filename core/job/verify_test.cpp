// Verification: each level finds what it promises to find, damage and "could not look" are told
// apart, and the result is written where it belongs.
#include "core/job/verify.hpp"

#include "core/archive/index_records.hpp"
#include "core/job/job_fixture.hpp"

#include <nlohmann/json.hpp>

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string text_of(const MemoryStore& store, const std::string& key) {
    const MemoryStore::Data data = store.object(key);
    return {data.begin(), data.end()};
}
std::string find_key(const MemoryStore& store, const std::string& part) {
    for (const std::string& key : store.keys())
        if (key.find(part) != std::string::npos) return key;
    return {};
}
void put_text(MemoryStore& store, const std::string& key, const std::string& text) {
    store.set_object(key, {text.begin(), text.end()});
}
void edit_manifest(MemoryStore& store, void (*edit)(Manifest&)) {
    const std::string key = find_key(store, "manifest.json");
    Manifest manifest = parse_manifest(text_of(store, key), key);
    edit(manifest);
    put_text(store, key, manifest_text(manifest));
}
/// An index whose own record in the manifest is right: only its contents tell.
void edit_index(MemoryStore& store, const std::function<bool(IndexRecord&)>& edit) {
    const std::string key = find_key(store, "index.ndjson");
    const std::string old = text_of(store, key);
    std::string text;
    for (size_t begin = 0, end = 0; begin < old.size(); begin = end + 1) {
        end = old.find('\n', begin);
        IndexRecord record = parse_index_line(std::string_view(old).substr(begin, end - begin));
        if (edit(record)) text += index_line(record);
    }
    put_text(store, key, text);
    const std::string manifest_key = find_key(store, "manifest.json");
    Manifest manifest = parse_manifest(text_of(store, manifest_key), manifest_key);
    manifest.stored_size += text.size() - manifest.index.size;
    manifest.index.size = manifest.index.packed_size = manifest.index.plain_size = text.size();
    manifest.index.sha256 = sha256_hex(as_bytes(text));
    put_text(store, manifest_key, manifest_text(manifest));
}

class VerifyTest : public JobTest {
protected:
    BackupRow row_;

    void make(BackupRequest request = JobTest::request()) { row_ = back_up(request).row; }
    static OptionText right_key(const std::string&) { return {{"key", {"key one"}}}; }
    [[nodiscard]] VerifyResult verify(VerifyLevel level, const DecryptOptions& decrypt = right_key,
                                      std::stop_token stop = {}) {
        return verify_archive(context(std::move(stop)), place("here", row_), level, decrypt, 0);
    }
    [[nodiscard]] VerifyOutcome outcome(VerifyLevel level) { return verify(level).outcome; }
};

struct Damage {
    std::string name;
    void (*spoil)(MemoryStore&);
    VerifyLevel found_by; ///< `none`: by no level
};
class Levels : public VerifyTest, public ::testing::WithParamInterface<Damage> {};

TEST_P(Levels, FindWhatTheyPromise) {
    make();
    GetParam().spoil(*here_);
    for (const VerifyLevel level : {VerifyLevel::quick, VerifyLevel::stored, VerifyLevel::full}) {
        const bool found = GetParam().found_by != VerifyLevel::none && level >= GetParam().found_by;
        const VerifyResult result = verify(level);
        EXPECT_EQ(result.outcome, found ? VerifyOutcome::failed : VerifyOutcome::ok)
            << state_name(level) << ": "
            << (result.problems.empty() ? "no problem" : result.problems.front().text);
        EXPECT_EQ(result.problems.empty(), !found);
        EXPECT_EQ(result.id, row_.id) << "even when the manifest cannot be read";
        EXPECT_EQ(result.storage, "here");
        const CopyRow copy = copy_at(row_.id, "here");
        EXPECT_EQ(copy.verified_level, level);
        EXPECT_EQ(copy.verified_outcome, result.outcome);
        EXPECT_EQ(copy.error, found ? result.problems.front().text : "");
        EXPECT_EQ(copy.state, CopyState::stored);
    }
}

const Damage kDamages[] = {
    {"Nothing", [](MemoryStore&) {}, VerifyLevel::none},
    {"NoVolume", [](MemoryStore& s) { s.erase(find_key(s, "shop.001.bin")); }, VerifyLevel::quick},
    {"NoIndex", [](MemoryStore& s) { s.erase(find_key(s, "index")); }, VerifyLevel::quick},
    {"ShortVolume",
     [](MemoryStore& s) {
         const std::string key = find_key(s, "shop.001.bin");
         MemoryStore::Data data = s.object(key);
         data.pop_back();
         s.set_object(key, std::move(data));
     },
     VerifyLevel::quick},
    {"FlippedManifest", [](MemoryStore& s) { s.flip_bit(find_key(s, "manifest"), 60); },
     VerifyLevel::quick},
    {"FlippedVolume", [](MemoryStore& s) { s.flip_bit(find_key(s, "shop.002.bin"), 99); },
     VerifyLevel::stored},
    {"FlippedIndex", [](MemoryStore& s) { s.flip_bit(find_key(s, "index"), 99); },
     VerifyLevel::stored},
    {"WrongBytesOfASection",
     [](MemoryStore& s) {
         edit_index(s, [](IndexRecord& record) {
             if (auto* total = std::get_if<IndexTotal>(&record)) ++total->bytes;
             return true;
         });
     },
     VerifyLevel::full},
    {"WrongRowDigestOfASection",
     [](MemoryStore& s) {
         edit_index(s, [](IndexRecord& record) {
             if (auto* total = std::get_if<IndexTotal>(&record)) total->sum.low ^= 1;
             return true;
         });
     },
     VerifyLevel::full},
    {"NoSumsOfASection",
     [](MemoryStore& s) {
         edit_index(
             s, [](IndexRecord& record) { return !std::holds_alternative<IndexTotal>(record); });
     },
     VerifyLevel::full},
    {"WrongSumsOfAVolume",
     [](MemoryStore& s) {
         edit_index(s, [](IndexRecord& record) {
             if (auto* volume = std::get_if<IndexVolume>(&record)) ++volume->frames;
             return true;
         });
     },
     VerifyLevel::full},
    {"NoSumsOfAVolume",
     [](MemoryStore& s) {
         edit_index(
             s, [](IndexRecord& record) { return !std::holds_alternative<IndexVolume>(record); });
     },
     VerifyLevel::full},
    {"WrongFrameChecksum",
     [](MemoryStore& s) {
         edit_index(s, [](IndexRecord& record) {
             if (auto* frame = std::get_if<IndexFrame>(&record)) frame->checksum[0] ^= 1;
             return true;
         });
     },
     VerifyLevel::full},
    {"TruncatedIndex",
     [](MemoryStore& s) {
         edit_index(s,
                    [](IndexRecord& record) { return !std::holds_alternative<IndexEnd>(record); });
     },
     VerifyLevel::full},
    {"WrongRowsInTheManifest",
     [](MemoryStore& s) { edit_manifest(s, [](Manifest& m) { ++*m.rows; }); }, VerifyLevel::full},
    {"WrongFramesInTheManifest",
     [](MemoryStore& s) { edit_manifest(s, [](Manifest& m) { ++m.components.front().frames; }); },
     VerifyLevel::full},
    {"WrongPlainSizeInTheManifest",
     [](MemoryStore& s) { edit_manifest(s, [](Manifest& m) { ++m.plain_size; }); },
     VerifyLevel::full},
};
INSTANTIATE_TEST_SUITE_P(Damage, Levels, ::testing::ValuesIn(kDamages),
                         [](const auto& test) { return test.param.name; });

TEST_F(VerifyTest, EveryPackingIsFoundGood) {
    for (const char* compress : {"", "swell"})
        for (const char* encrypt : {"", "xor", "xor-stream"})
            for (const char* proof : {"false", "true"}) {
                BackupRequest backup = request();
                set(backup.source, "proof", proof);
                set(backup.source, "phases", "true");
                set(backup.source, "huge", "600000");
                if (*compress != '\0') backup.compress = DriverSpec{compress, {}};
                if (*encrypt != '\0') backup.encrypt = DriverSpec{encrypt, {{"key", {"key one"}}}};
                clock_.pass(1000);
                make(backup);
                const VerifyResult result = verify(VerifyLevel::full);
                EXPECT_EQ(result.outcome, VerifyOutcome::ok)
                    << compress << ' ' << encrypt << ' ' << proof << ": "
                    << (result.problems.empty() ? "" : result.problems.front().text);
            }
}

TEST_F(VerifyTest, EveryDamagedObjectIsNamed) {
    make();
    here_->flip_bit(key_of(*here_, "shop.bin"), 3);
    here_->flip_bit(key_of(*here_, "shop.002.bin"), 3);
    const VerifyResult result = verify(VerifyLevel::stored);
    ASSERT_EQ(result.problems.size(), 2u);
    EXPECT_EQ(result.problems[0].object, key_of(*here_, "shop.bin"));
    EXPECT_EQ(result.problems[1].object, key_of(*here_, "shop.002.bin"));
    EXPECT_THAT(result.problems[0].text, HasSubstr("sha256"));
}

TEST_F(VerifyTest, StoredReadsEveryByteAndCountsThem) {
    make();
    EXPECT_EQ(verify(VerifyLevel::quick).bytes_read, 0u);
    EXPECT_EQ(verify(VerifyLevel::stored).bytes_read, static_cast<uint64_t>(row_.stored_size));
}

TEST_F(VerifyTest, TheResultLiesBesideTheArchive) {
    make();
    here_->flip_bit(key_of(*here_, "shop.001.bin"), 3);
    clock_.pass(5000);
    const VerifyResult result = verify(VerifyLevel::stored);
    const std::string key = row_.archive_key + "verify/20260211T031505Z-stored.json";
    const auto json = nlohmann::json::parse(text_of(*here_, key));
    EXPECT_EQ(json["format"], "bkhost-verify");
    EXPECT_EQ(json["version"], 1);
    EXPECT_EQ(json["id"], row_.id);
    EXPECT_EQ(json["level"], "stored");
    EXPECT_EQ(json["outcome"], "failed");
    EXPECT_EQ(json["at"], "2026-02-11T03:15:05.000Z");
    EXPECT_EQ(json["host"], "db1");
    EXPECT_EQ(json["created_by"], "bkhost 9");
    EXPECT_EQ(json["manifest_sha256"], row_.manifest_sha256);
    EXPECT_EQ(json["bytes_read"], result.bytes_read);
    EXPECT_EQ(json["duration_ms"], 0);
    ASSERT_EQ(json["problems"].size(), 1u);
    EXPECT_EQ(json["problems"][0]["object"], key_of(*here_, "shop.001.bin"));
    EXPECT_EQ(json["problems"][0]["text"], result.problems[0].text);
    EXPECT_EQ(json.size(), 12u) << "FORMAT.md, section 7, has no other member";
    EXPECT_EQ(copy_at(row_.id, "here").verified_ms, clock_.now());
}

TEST_F(VerifyTest, AStorageThatIsAwayIsInconclusive) {
    for (const bk_status status : {BK_E_UNAVAILABLE, BK_E_TIMEOUT}) {
        clock_.pass(1000);
        make();
        here_->fail({.call = Call::stat, .status = status, .lasting = true});
        EXPECT_EQ(outcome(VerifyLevel::quick), VerifyOutcome::inconclusive);
        EXPECT_EQ(copy_at(row_.id, "here").verified_outcome, VerifyOutcome::inconclusive);
        here_->clear_faults();
        here_->fail({.call = Call::read, .status = status, .lasting = true, .key = ".bin"});
        for (const VerifyLevel level : {VerifyLevel::stored, VerifyLevel::full}) {
            const VerifyResult result = verify(level);
            EXPECT_EQ(result.outcome, VerifyOutcome::inconclusive) << state_name(level);
            EXPECT_THAT(result.problems, Not(IsEmpty()));
        }
        here_->clear_faults();
    }
}

TEST_F(VerifyTest, DamageIsDamageThoughAnotherObjectCouldNotBeRead) {
    make();
    here_->flip_bit(key_of(*here_, "shop.002.bin"), 3);
    here_->fail({.call = Call::read, .lasting = true, .key = "shop.001.bin"});
    EXPECT_EQ(outcome(VerifyLevel::stored), VerifyOutcome::failed);
    here_->clear_faults();
    here_->fail({.call = Call::read, .lasting = true, .key = "index"});
    EXPECT_EQ(outcome(VerifyLevel::stored), VerifyOutcome::failed);
}

TEST_F(VerifyTest, AnObjectThatGoesWhileItIsVerifiedIsMissing) {
    make();
    here_->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::open && key.ends_with("shop.001.bin")) here_->erase(key);
    });
    EXPECT_EQ(outcome(VerifyLevel::stored), VerifyOutcome::failed);
}

TEST_F(VerifyTest, TheErrorOfADamageThatIsMendedIsForgotten) {
    make();
    const std::string key = key_of(*here_, "shop.001.bin");
    here_->flip_bit(key, 3);
    EXPECT_EQ(outcome(VerifyLevel::stored), VerifyOutcome::failed);
    EXPECT_THAT(copy_at(row_.id, "here").error, Not(IsEmpty()));
    here_->flip_bit(key, 3);
    EXPECT_EQ(outcome(VerifyLevel::stored), VerifyOutcome::ok);
    EXPECT_THAT(copy_at(row_.id, "here").error, IsEmpty());
}

TEST_F(VerifyTest, WithoutAKeyOnlyTheStoredBytesCanBeLookedAt) {
    BackupRequest backup = request();
    backup.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
    make(backup);
    EXPECT_EQ(verify(VerifyLevel::stored, {}).outcome, VerifyOutcome::ok);
    EXPECT_EQ(error_of([&] { (void)verify(VerifyLevel::full, {}); }).status(), BK_E_DENIED);
    const auto wrong = [](const std::string&) { return OptionText{{"key", {"key two"}}}; };
    EXPECT_EQ(error_of([&] { (void)verify(VerifyLevel::full, wrong); }).status(), BK_E_DENIED);
    EXPECT_EQ(copy_at(row_.id, "here").verified_outcome, VerifyOutcome::ok)
        << "nothing was found bad";
}

TEST_F(VerifyTest, AStorageThatMayOnlyBeReadGivesAWarning) {
    make();
    here_->fail({.call = Call::put, .status = BK_E_DENIED, .lasting = true});
    EXPECT_EQ(outcome(VerifyLevel::quick), VerifyOutcome::ok);
    EXPECT_TRUE(log_.contains("the result was not written beside the archive"));
    EXPECT_EQ(copy_at(row_.id, "here").verified_level, VerifyLevel::quick);
}

TEST_F(VerifyTest, NoArchiveIsNoResult) {
    make();
    here_->erase(key_of(*here_, "manifest.json"));
    EXPECT_EQ(error_of([&] { (void)verify(VerifyLevel::quick); }).status(), BK_E_NOT_FOUND);
}

TEST_F(VerifyTest, AnArchiveThatTheCatalogDoesNotKnowCanBeVerified) {
    make();
    Catalog empty(dir_.path / "empty.db", clock_, probe_);
    const JobContext context{registry_, empty,      log_,  observer_, {},
                             clock_,    "bkhost 9", "db1", "tester"};
    EXPECT_EQ(verify_archive(context, place("here", row_), VerifyLevel::full, {}, 0).outcome,
              VerifyOutcome::ok);
}

TEST_F(VerifyTest, CancellingEndsItWithoutAResult) {
    make();
    for (const VerifyLevel level : {VerifyLevel::stored, VerifyLevel::full}) {
        std::stop_source stop;
        here_->on_call([&](Call call, const std::string& key, uint32_t) {
            if (call == Call::read && key.ends_with("shop.001.bin")) stop.request_stop();
        });
        const bk::Error error = error_of([&] { (void)verify(level, right_key, stop.get_token()); });
        EXPECT_EQ(error.status(), BK_E_CANCELLED) << state_name(level);
        EXPECT_EQ(find_key(*here_, "verify/"), "");
    }
}

} // namespace
} // namespace bkhost::test
