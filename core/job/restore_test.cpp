// Restores: from the best copy that is good, never anything that is damaged, and the target is let
// go of as it was when something fails.
#include "core/archive/manifest.hpp"
#include "core/job/job_fixture.hpp"

#include <charconv>
#include <future>

namespace bkhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RestoreTest : public JobTest {
protected:
    std::shared_ptr<SyntheticDb> target_ = synthetic_db("target");

    [[nodiscard]] bk::Error failure(const RestoreRequest& request) {
        return error_of([&] { (void)run_restore(context(), request); });
    }
    /// The row says what was thrown, and the target was let go of.
    void expect_failed(const bk::Error& error, bk_status status, const std::string& text) {
        EXPECT_EQ(error.status(), status) << error.what();
        EXPECT_THAT(error.what(), HasSubstr(text));
        ASSERT_EQ(catalog_.restores().size(), 1u);
        const RestoreRow row = catalog_.restores().front();
        EXPECT_EQ(row.state, RestoreState::failed);
        EXPECT_EQ(row.error, error.what());
        EXPECT_EQ(row.hint, error.hint());
        EXPECT_EQ(target_->loads_kept, 0);
        EXPECT_THAT(target_->loaded(), IsEmpty());
        expect_at_rest();
    }
    void edit_manifest(const std::function<void(Manifest&)>& edit) {
        const std::string key = key_of(*here_, "manifest.json");
        const MemoryStore::Data data = here_->object(key);
        Manifest manifest =
            parse_manifest({reinterpret_cast<const char*>(data.data()), data.size()}, "");
        edit(manifest);
        const std::string text = manifest_text(manifest);
        here_->set_object(key, {text.begin(), text.end()});
    }
    void flip_last(MemoryStore& store, const std::string& part) {
        const std::string key = key_of(store, part);
        store.flip_bit(key, store.object(key).size() - 1);
    }
};

TEST_F(RestoreTest, RowTellsWhatWasDone) {
    const BackupRow backup = back_up().row;
    RestoreRequest request = restore_request(backup);
    request.notes = "drill";
    const RestoreRow row = run_restore(context(), request);
    EXPECT_EQ(row.backup_id, backup.id);
    EXPECT_EQ(row.source, "here");
    EXPECT_EQ(row.target, "target");
    EXPECT_EQ(row.environment, "staging");
    EXPECT_EQ(row.bytes, backup.plain_size);
    EXPECT_EQ(row.rows, backup.rows);
    EXPECT_EQ(row.notes, "drill");
    EXPECT_EQ(row.initiated_by, "tester");
    EXPECT_THAT(row.error, IsEmpty());
    EXPECT_THAT(target_->last_request(), HasSubstr(R"("layout":{"fragment":8192})"));
    EXPECT_THAT(target_->last_request(), HasSubstr(R"("target":"refuse")"));
}

// -- several copies

struct Spoiled {
    std::string name;
    void (*spoil)(MemoryStore&);
};
class FallsBack : public RestoreTest, public ::testing::WithParamInterface<Spoiled> {};

TEST_P(FallsBack, ToTheNextCopy) {
    const BackupRow backup = back_up(request_for_two(2)).row;
    GetParam().spoil(*here_);
    const RestoreRow row = run_restore(context(), restore_request(backup, {"here", "there"}));
    EXPECT_EQ(row.state, RestoreState::completed);
    EXPECT_EQ(row.source, "there");
    EXPECT_TRUE(log_.contains("trying storage 'there'"));
    expect_same(source_->dumped(), target_->loaded());
    EXPECT_EQ(target_->loads_kept, 1);
    expect_at_rest();
}

std::string find_key(const MemoryStore& store, const std::string& part) {
    for (const std::string& key : store.keys())
        if (key.find(part) != std::string::npos) return key;
    return {};
}
const Spoiled kSpoiled[] = {
    {"NoManifest", [](MemoryStore& s) { s.erase(find_key(s, "manifest.json")); }},
    {"FlippedManifest", [](MemoryStore& s) { s.flip_bit(find_key(s, "manifest.json"), 50); }},
    {"NoIndex", [](MemoryStore& s) { s.erase(find_key(s, "index")); }},
    {"NoVolume", [](MemoryStore& s) { s.erase(find_key(s, "shop.001.bin")); }},
    {"FlippedFirstVolume", [](MemoryStore& s) { s.flip_bit(find_key(s, "shop.bin"), 9); }},
    {"FlippedLaterVolume", [](MemoryStore& s) { s.flip_bit(find_key(s, "shop.002.bin"), 9); }},
    {"Away", [](MemoryStore& s) { s.fail({.call = Call::stat, .lasting = true}); }},
    {"TimedOutMidway",
     [](MemoryStore& s) {
         s.fail({.call = Call::read, .status = BK_E_TIMEOUT, .lasting = true, .key = "shop.001"});
     }},
};
INSTANTIATE_TEST_SUITE_P(Copy, FallsBack, ::testing::ValuesIn(kSpoiled),
                         [](const auto& test) { return test.param.name; });

TEST_F(RestoreTest, TheLastCopysErrorIsTheRestores) {
    const BackupRow backup = back_up(request_for_two(2)).row;
    here_->fail({.call = Call::stat, .lasting = true});
    flip_last(*there_, "shop.001.bin");
    expect_failed(failure(restore_request(backup, {"here", "there"})), BK_E_CORRUPT,
                  "storage 'there'");
    EXPECT_EQ(catalog_.restores().front().source, "there");
}

TEST_F(RestoreTest, ATargetThatExistsIsNotTriedAgainFromAnotherCopy) {
    const BackupRow backup = back_up(request_for_two(2)).row;
    (void)run_restore(context(), restore_request(backup));
    there_->reset_counts();
    EXPECT_EQ(failure(restore_request(backup, {"here", "there"})).status(), BK_E_EXISTS);
    EXPECT_EQ(there_->calls(Call::stat), 0u);
    EXPECT_EQ(target_->loads_kept, 1);
    RestoreRequest replace = restore_request(backup);
    replace.replace = true;
    EXPECT_EQ(run_restore(context(), replace).state, RestoreState::completed);
}

class WrongKey : public RestoreTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(WrongKey, IsNotTakenForDamage) {
    BackupRequest backup = request_for_two(2);
    backup.encrypt = DriverSpec{GetParam(), {{"key", {"key one"}}}};
    const BackupRow row = back_up(backup).row;
    RestoreRequest request = restore_request(row, {"here", "there"});
    request.decrypt = [](const std::string&) { return OptionText{{"key", {"key two"}}}; };
    there_->reset_counts();
    expect_failed(failure(request), BK_E_DENIED, "wrong key");
    EXPECT_EQ(there_->calls(Call::stat), 0u);
}
INSTANTIATE_TEST_SUITE_P(Cipher, WrongKey, ::testing::Values("xor", "xor-stream"));

TEST_F(RestoreTest, WithoutAKeyItSaysForWhomItWasEncrypted) {
    BackupRequest backup = request();
    backup.encrypt = DriverSpec{"xor", {{"key", {"key one"}}}};
    RestoreRequest request = restore_request(back_up(backup).row);
    request.decrypt = {};
    expect_failed(failure(request), BK_E_DENIED, "is encrypted for xor:");
}

TEST_F(RestoreTest, WithoutACopyNoRowIsMade) {
    RestoreRequest request = restore_request(back_up().row, {});
    EXPECT_EQ(failure(request).status(), BK_E_NOT_FOUND);
    EXPECT_THAT(catalog_.restores(), IsEmpty());
}

TEST_F(RestoreTest, AnotherEnginesTargetIsRefused) {
    const BackupRow backup = back_up().row;
    edit_manifest([](Manifest& manifest) { manifest.engine.driver = "postgres"; });
    expect_failed(failure(restore_request(backup)), BK_E_CONFIG, "postgres");
    EXPECT_EQ(target_->loads_undone, 0) << "the target was not even opened";
}

TEST_F(RestoreTest, AManifestOfAnotherBackupIsDamage) {
    const BackupRow backup = back_up().row;
    edit_manifest([](Manifest& manifest) { manifest.id = "20260101T000000Z-aaaaaa"; });
    expect_failed(failure(restore_request(backup)), BK_E_CORRUPT, "belongs to another backup");
}

// -- single tables

class RestoreTables : public RestoreTest {
protected:
    /// A script of two large tables.
    [[nodiscard]] BackupRow back_up_script(const std::string& huge = "0") {
        BackupRequest backup = request();
        set(backup.source, "format", "sql");
        set(backup.source, "phases", "true");
        set(backup.source, "huge", huge);
        return back_up(backup).row;
    }
    static RestoreRequest only(const BackupRow& backup, const std::vector<std::string>& tables) {
        RestoreRequest request = restore_request(backup);
        request.tables = tables;
        return request;
    }
    /// Packed bytes of the frames that hold bytes of the table, or none of its bytes.
    [[nodiscard]] uint64_t frames_of(const BackupRow& backup, const std::string& table,
                                     std::vector<IndexFrame>* others = nullptr) {
        Services services(log_, {});
        const JobContext job = context();
        OpenArchive archive(job, place("here", backup), {}, services);
        IndexReader index(archive.access(), archive.manifest(), archive.compressor());
        std::set<uint32_t> wanted;
        uint64_t bytes = 0;
        while (const std::optional<IndexRecord> record = index.next()) {
            if (const auto* section = std::get_if<SectionInfo>(&*record))
                if (section->name == table || section->kind == "session")
                    wanted.insert(section->number);
            const auto* frame = std::get_if<IndexFrame>(&*record);
            if (frame == nullptr) continue;
            const bool needed = std::ranges::any_of(
                frame->segments, [&](const auto& s) { return wanted.contains(s.section); });
            if (needed) bytes += frame->packed_length;
            if (!needed && others != nullptr) others->push_back(*frame);
        }
        return bytes;
    }
};

TEST_F(RestoreTables, OnlyWhatIsNamedIsReadAndLoaded) {
    for (const char* huge : {"0", "1500000"}) {
        clock_.pass(1000);
        const BackupRow backup = back_up_script(huge);
        RestoreRequest request = only(backup, {"t1"});
        request.replace = true;
        const uint64_t needed = frames_of(backup, "t1");
        const uint64_t index = here_->object(key_of(*here_, backup.id + "/index.ndjson")).size();
        const uint64_t manifest =
            here_->object(key_of(*here_, backup.id + "/manifest.json")).size();
        ASSERT_LT(needed, static_cast<uint64_t>(backup.plain_size) * 3 / 4);
        here_->reset_counts();
        const RestoreRow row = run_restore(context(), request);
        EXPECT_LE(here_->bytes_read(), needed + 2 * index + manifest) << huge;
        SyntheticDb::Sections dumped = source_->dumped();
        std::erase_if(dumped, [](const auto& section) {
            return section.first != "t1" && section.first != "prologue" &&
                   section.first != "epilogue";
        });
        expect_same(dumped, target_->loaded());
        EXPECT_THAT(row.tables, ::testing::ElementsAre("t1"));
        EXPECT_EQ(row.rows, static_cast<int64_t>(dumped.at("t1").rows) + 20);
        EXPECT_EQ(row.bytes, static_cast<int64_t>(dumped.at("t1").bytes) + 400);
        EXPECT_THAT(target_->last_request(), HasSubstr(R"("include":["t1"])"));
        expect_at_rest();
    }
}

TEST_F(RestoreTables, DamageInFramesOfOthersDoesNotMatterAndInTheirOwnItDoes) {
    const BackupRow backup = back_up_script();
    std::vector<IndexFrame> others, own;
    (void)frames_of(backup, "t1", &others);
    (void)frames_of(backup, "t0", &own);
    ASSERT_FALSE(others.empty());
    ASSERT_FALSE(own.empty());
    const auto flip = [&](const IndexFrame& frame) {
        const std::string volume = frame.volume == 0 ? "" : ".00" + std::to_string(frame.volume);
        here_->flip_bit(key_of(*here_, "shop" + volume + ".sql"),
                        frame.packed_offset + frame.packed_length / 2);
    };
    for (const IndexFrame& frame : others)
        flip(frame);
    EXPECT_EQ(run_restore(context(), only(backup, {"t1"})).state, RestoreState::completed);
    const auto is_t1 = [&](const IndexFrame& frame) { // of the frames without t0
        return std::ranges::find(others, frame.number, &IndexFrame::number) == others.end();
    };
    const auto damaged = std::ranges::find_if(own, is_t1);
    ASSERT_NE(damaged, own.end());
    flip(*damaged);
    clock_.pass(1000);
    RestoreRequest again = only(backup, {"t1"});
    again.replace = true;
    EXPECT_EQ(failure(again).status(), BK_E_CORRUPT);
    EXPECT_EQ(target_->loads_kept, 1);
    expect_at_rest();
}

TEST_F(RestoreTables, AnUnknownTableIsRefusedBeforeTheTargetIsOpened) {
    const BackupRow backup = back_up_script();
    expect_failed(failure(only(backup, {"t1", "t2"})), BK_E_CONFIG, "has no table 't2'");
    EXPECT_EQ(target_->loads_undone, 0);
}

TEST_F(RestoreTables, AFormatThatTheDriverCannotTakeApartIsRefused) {
    BackupRequest backup = request();
    set(backup.source, "ordered", "true");
    set(backup.source, "units", "1");
    expect_failed(failure(only(back_up(backup).row, {"t0"})), BK_E_UNSUPPORTED,
                  "cannot take single tables out");
    EXPECT_EQ(target_->loads_undone, 0);
}

// -- failures midway

TEST_F(RestoreTest, AnyPieceMayFailAndTheTargetIsDiscarded) {
    const BackupRow backup = back_up(request_for_two(2)).row;
    there_->reset_counts();
    for (int n = 1;; ++n) {
        RestoreRequest request = restore_request(backup, {"here", "there"});
        set(request.target, "fail-load", std::to_string(n));
        clock_.pass(1000);
        try {
            (void)run_restore(context(), request);
            EXPECT_GT(n, 3);
            break;
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_NO_SPACE);
            EXPECT_EQ(catalog_.restores().at(0).state, RestoreState::failed);
            EXPECT_EQ(target_->loads_kept, 0);
            EXPECT_EQ(target_->loads_undone, n);
        }
        ASSERT_LT(n, 100);
    }
    EXPECT_EQ(there_->calls(Call::stat), 0u) << "a full disk is not the copy's fault";
    expect_at_rest();
}

TEST_F(RestoreTest, AFailureAtTheEndOfTheLoadFailsTheRestore) {
    RestoreRequest request = restore_request(back_up().row);
    set(request.target, "fail-load-end", "true");
    expect_failed(failure(request), BK_E_CORRUPT, "the end of the load made to fail");
    EXPECT_EQ(target_->loads_undone, 0) << "the session is ended once";
}

TEST_F(RestoreTest, ALoaderThatDoesNotReadEverythingIsAnError) {
    RestoreRequest request = restore_request(back_up().row);
    set(request.target, "lazy-load", "true");
    expect_failed(failure(request), BK_E_INTERNAL, "did not read all that it was given");
    EXPECT_EQ(target_->loads_undone, 1);
}

TEST_F(RestoreTest, CancellingWakesTheLoader) {
    RestoreRequest request = restore_request(back_up().row);
    set(request.target, "hang-load", "true");
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_restore(context(stop.get_token()), request); });
    });
    target_->wait_hanging();
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(catalog_.restores().front().state, RestoreState::cancelled);
    EXPECT_EQ(target_->loads_undone, 1);
    expect_at_rest();
}

TEST_F(RestoreTest, CancellingWakesTheStorage) {
    const RestoreRequest request = restore_request(back_up().row);
    const std::shared_ptr<Gate> gate = here_->block(Call::read, 1, "shop.001.bin");
    std::stop_source stop;
    auto run = std::async(std::launch::async, [&] {
        return error_of([&] { (void)run_restore(context(stop.get_token()), request); });
    });
    gate->wait_reached();
    stop.request_stop();
    EXPECT_EQ(run.get().status(), BK_E_CANCELLED);
    EXPECT_EQ(catalog_.restores().front().state, RestoreState::cancelled);
    EXPECT_EQ(target_->loads_kept, 0);
    expect_at_rest();
}

// -- damage

struct Packing {
    std::string name, compress, encrypt;
};
class AnyFlippedBit : public RestoreTest, public ::testing::WithParamInterface<Packing> {};

TEST_P(AnyFlippedBit, IsNeverLoaded) {
    BackupRequest backup = request();
    set(backup.source, "unit-bytes", "300KiB");
    if (!GetParam().compress.empty()) backup.compress = DriverSpec{GetParam().compress, {}};
    if (!GetParam().encrypt.empty())
        backup.encrypt = DriverSpec{GetParam().encrypt, {{"key", {"key one"}}}};
    const RestoreRequest restore = restore_request(back_up(backup).row);
    for (const std::string& key : here_->keys()) {
        const size_t size = here_->object(key).size();
        for (const size_t at : {size_t{0}, size / 3, size / 2, size - 1}) {
            here_->flip_bit(key, at, 1);
            const bk::Error error = failure(restore);
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << key << " at " << at << ": " << error.what();
            EXPECT_EQ(target_->loads_kept, 0) << key << " at " << at;
            here_->flip_bit(key, at, 1);
            clock_.pass(1000);
        }
    }
    expect_at_rest();
    EXPECT_EQ(run_restore(context(), restore).state, RestoreState::completed) << "all is mended";
}
INSTANTIATE_TEST_SUITE_P(Packing, AnyFlippedBit,
                         ::testing::Values(Packing{"Plain", "", ""}, Packing{"Packed", "store", ""},
                                           Packing{"Encrypted", "", "xor"},
                                           Packing{"Both", "store", "xor"}),
                         [](const auto& test) { return test.param.name; });

/// Without codec and cipher nothing but the manifest's sha256 speaks for the index.
TEST_F(RestoreTest, AFlippedBitInASectionsNameDoesNotRenameATable) {
    const BackupRow backup = back_up().row;
    const std::string key = key_of(*here_, "index.ndjson");
    const MemoryStore::Data data = here_->object(key);
    const std::string text(data.begin(), data.end());
    const size_t name = text.find(R"("name":"t0")");
    ASSERT_NE(name, std::string::npos);
    here_->flip_bit(key, name + 9, 1); // "t2"
    expect_failed(failure(restore_request(backup)), BK_E_CORRUPT, "index");
}

TEST_F(RestoreTest, ATruncatedLastVolumeIsFoundBeforeAnythingIsCommitted) {
    const BackupRow backup = back_up().row;
    const std::string key = key_of(*here_, "shop.002.bin");
    MemoryStore::Data data = here_->object(key);
    data.pop_back();
    here_->set_object(key, std::move(data));
    expect_failed(failure(restore_request(backup)), BK_E_CORRUPT, "bytes, the manifest says");
}

// -- pieces

struct Piece {
    std::string section;
    uint64_t offset = 0, size = 0;
};
std::vector<Piece> pieces_of(const SyntheticDb& db) {
    std::vector<Piece> pieces;
    for (const std::string& text : db.pieces()) {
        const size_t first = text.find(' '), second = text.rfind(' ');
        pieces.push_back({text.substr(0, first), std::stoull(text.substr(first + 1)),
                          std::stoull(text.substr(second + 1))});
    }
    return pieces;
}

TEST_F(RestoreTest, PiecesOfASectionFollowEachOtherWithoutGaps) {
    (void)run_restore(context(), restore_request(back_up().row));
    std::map<std::string, uint64_t> ends;
    for (const Piece& piece : pieces_of(*target_)) {
        EXPECT_EQ(piece.offset, ends[piece.section]) << piece.section;
        ends[piece.section] += piece.size;
    }
    EXPECT_EQ(ends.size(), 2u);
    for (const auto& [section, end] : ends)
        EXPECT_EQ(end, 88u * 8192) << section;
    EXPECT_GT(target_->pieces().size(), ends.size());
}

TEST_F(RestoreTest, AFragmentThatSpansFramesIsOneLoad) {
    for (const char* format : {"binary", "sql"}) {
        BackupRequest backup = request();
        set(backup.source, "huge", "1500000");
        set(backup.source, "format", format);
        clock_.pass(1000);
        RestoreRequest restore = restore_request(back_up(backup).row);
        restore.replace = true;
        (void)run_restore(context(), restore);
        expect_same(source_->dumped(), target_->loaded(), false);
        uint64_t largest = 0;
        for (const Piece& piece : pieces_of(*target_))
            largest = std::max(largest, piece.size);
        EXPECT_GE(largest, 1'500'000u) << format;
    }
}

TEST_F(RestoreTest, PhasesAreLoadedInTheirOrder) {
    BackupRequest backup = request();
    set(backup.source, "phases", "true");
    (void)run_restore(context(), restore_request(back_up(backup).row));
    std::vector<std::string> order;
    for (const Piece& piece : pieces_of(*target_)) {
        const std::string name = piece.section.starts_with("t") ? "data" : piece.section;
        if (order.empty() || order.back() != name) order.push_back(name);
    }
    EXPECT_THAT(
        order, ::testing::ElementsAre("prologue", "schema", "data", "indexes", "keys", "epilogue"));
}

// -- the stream

TEST_F(RestoreTest, TheStreamIsTheDump) {
    const BackupRow backup = back_up().row;
    std::string streamed, stored;
    stream_archive(context(), place("here", backup), {}, 0, [&](std::span<const uint8_t> bytes) {
        streamed.append(bytes.begin(), bytes.end());
    });
    for (const std::string key : {"shop.bin", "shop.001.bin", "shop.002.bin", "shop.003.bin"}) {
        const std::string found = find_key(*here_, key);
        if (found.empty()) continue;
        const MemoryStore::Data data = here_->object(found);
        stored.append(data.begin(), data.end()); // neither packed nor encrypted
    }
    EXPECT_EQ(streamed.size(), static_cast<size_t>(backup.plain_size));
    EXPECT_TRUE(streamed == stored);
    EXPECT_THAT(catalog_.restores(), IsEmpty());
}

TEST_F(RestoreTest, ADamagedStreamEndsWithAnError) {
    const BackupRow backup = back_up().row;
    flip_last(*here_, "shop.001.bin");
    const bk::Error error = error_of([&] {
        stream_archive(context(), place("here", backup), {}, 0, [](std::span<const uint8_t>) {});
    });
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
}

TEST_F(RestoreTest, AReaderOfTheStreamThatFailsEndsIt) {
    const BackupRow backup = back_up().row;
    const bk::Error error = error_of([&] {
        stream_archive(context(), place("here", backup), {}, 0, [](std::span<const uint8_t>) {
            throw bk::Error(BK_E_UNAVAILABLE, "the pipe is closed");
        });
    });
    EXPECT_THAT(error.what(), HasSubstr("the pipe is closed"));
}

} // namespace
} // namespace bkhost::test
