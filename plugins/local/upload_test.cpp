#include "upload.hpp"

#include "storage_fixture.hpp"
#include "syscall_faults.hpp"

#include <sys/mount.h>
#include <sys/resource.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <latch>
#include <random>
#include <thread>

namespace local {
namespace {

using testing::HasSubstr;

class UploadTest : public StorageTest {
protected:
    std::unique_ptr<bk::Upload> begin(const std::string& key, uint32_t condition = BK_PUT_ALWAYS) {
        return store().upload(key, when(condition));
    }
    static bk_part send(bk::Upload& upload, uint32_t number, uint64_t offset,
                        std::string_view data) {
        bk_part part{sizeof(bk_part), number, offset, data.size(), ""};
        upload.part(part, bytes(data));
        return part;
    }
};

/// Cuts `text` into parts of at most `size` bytes: number, offset and size filled in.
std::vector<bk_part> cut(const std::string& text, size_t size) {
    std::vector<bk_part> parts;
    for (size_t at = 0; at < text.size(); at += size)
        parts.push_back({sizeof(bk_part), static_cast<uint32_t>(parts.size() + 1), at,
                         std::min(size, text.size() - at), ""});
    return parts;
}

TEST_F(UploadTest, WhatWasWrittenIsReadBack) {
    for (const size_t size : {0u, 1u, 4095u, 4096u, (1u << 20) + 1}) {
        const std::string text = sample(size);
        const auto upload = begin("a/b/c");
        const std::vector<bk_part> parts{send(*upload, 1, 0, text)};
        const bk_object object = upload->commit(parts);
        EXPECT_EQ(object.size, size);
        EXPECT_STREQ(object.version, store().stat("a/b/c")->version);
        EXPECT_EQ(get("a/b/c"), text);
    }
}

/// Memory that can go to a disk as it is.
class Blocks {
public:
    explicit Blocks(const std::string& text)
        : data_(static_cast<char*>(std::aligned_alloc(4096, (text.size() / 4096 + 1) * 4096))),
          size_(text.size()) {
        std::copy(text.begin(), text.end(), data_.get());
    }
    [[nodiscard]] std::string_view view() const { return {data_.get(), size_}; }

private:
    struct Free {
        void operator()(char* data) const noexcept { std::free(data); }
    };
    std::unique_ptr<char, Free> data_;
    size_t size_;
};

TEST_F(UploadTest, AlignedPartsAreReadBackWhateverTheirSize) {
    for (const size_t size : {4096u, 4097u, 8191u, 9u << 20, (9u << 20) + 5}) {
        const std::string text = sample(size);
        const Blocks memory(text);
        const auto upload = begin("a");
        const size_t half = size / 2; // the second part begins where no block does
        const std::vector<bk_part> parts{send(*upload, 1, 0, memory.view().substr(0, half)),
                                         send(*upload, 2, half, memory.view().substr(half))};
        upload->commit(parts);
        EXPECT_EQ(get("a"), text) << size;
    }
}

TEST_F(UploadTest, WhereBlocksAreRefusedTheUsualWayIsTaken) {
    store().probe(nullptr);
    const std::string text = sample(100'000);
    const Blocks memory(text);
    for (const int refused : {1, 2, 3}) { // the n-th write, of 8 KiB each
        const auto upload = begin("a");
        bk_part part{};
        {
            SyscallFaults faults;
            faults.write_limit = 8192;
            int writes = 0;
            faults.on_write = [&] { return ++writes == refused ? EINVAL : 0; };
            part = send(*upload, 1, 0, memory.view());
            EXPECT_GT(writes, refused);
        }
        upload->commit({&part, 1});
        EXPECT_EQ(get("a"), text) << refused;
    }
}

TEST_F(UploadTest, AFullDiskIsNoticedPastThePageCacheToo) {
    store().probe(nullptr);
    const std::string text = sample(100'000);
    const Blocks memory(text);
    const auto upload = begin("a");
    SyscallFaults faults;
    faults.on_write = [] { return ENOSPC; };
    EXPECT_FAILS(BK_E_NO_SPACE, "write", send(*upload, 1, 0, memory.view()));
}

TEST_F(UploadTest, AnObjectWithoutPartsIsEmpty) {
    EXPECT_EQ(begin("a")->commit({}).size, 0u);
    EXPECT_EQ(get("a"), "");
}

TEST_F(UploadTest, NothingIsVisibleBeforeCommit) {
    const auto upload = begin("a/b");
    const bk_part part = send(*upload, 1, 0, "new");
    EXPECT_TRUE(keys().empty());
    EXPECT_FALSE(store().stat("a/b"));
    upload->commit({&part, 1});
    EXPECT_EQ(keys(), std::vector<std::string>{"a/b"});
    EXPECT_EQ(files(), (std::vector<std::string>{"a/", "a/b"}));
}

TEST_F(UploadTest, PartsMayComeFromThreadsInAnyOrder) {
    const std::string text = sample(3'000'001);
    std::vector<bk_part> parts = cut(text, 65'536);
    std::vector<size_t> order(parts.size());
    for (size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(7));
    const auto upload = begin("a");
    std::atomic<size_t> next = 0;
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&] {
                for (size_t i = next++; i < order.size(); i = next++) {
                    bk_part& part = parts[order[i]];
                    upload->part(part, bytes(text).subspan(part.offset, part.size));
                }
            });
    }
    upload->commit(parts);
    EXPECT_EQ(get("a"), text);
}

TEST_F(UploadTest, APartMayBeSentAgain) {
    const auto upload = begin("a");
    send(*upload, 1, 0, "xx"); // the answer was lost, say
    const bk_part part = send(*upload, 1, 0, "ab");
    upload->commit({&part, 1});
    EXPECT_EQ(get("a"), "ab");
}

TEST_F(UploadTest, ShortAndInterruptedWritesGoOn) {
    SyscallFaults faults;
    faults.write_limit = 1000;
    int calls = 0;
    faults.on_write = [&] { return ++calls % 3 == 0 ? EINTR : 0; };
    const std::string text = sample(10'000);
    put("a", text);
    EXPECT_GT(calls, 10);
    EXPECT_EQ(get("a"), text);
}

TEST_F(UploadTest, AbortAndTheDestructorLeaveNothing) {
    put("kept/x");
    fs::create_directory(root / "empty");
    const std::vector<std::string> before = files();
    for (const char* key : {"a/b/c", "kept/y/z", "kept/y", "empty/a/b", "top", "kept/x"}) {
        const auto aborted = begin(key);
        send(*aborted, 1, 0, "text");
        EXPECT_NE(files(), before);
        aborted->abort();
        EXPECT_EQ(files(), before) << key;
        aborted->abort();
        send(*begin(key), 1, 0, "text"); // dropped
        EXPECT_EQ(files(), before) << key;
    }
    EXPECT_EQ(get("kept/x"), "x");
}

TEST_F(UploadTest, AbortLeavesTheDirectoryOfAnotherUpload) {
    const auto first = begin("a/b/first"), second = begin("a/b/second");
    first->abort();
    second->commit({});
    EXPECT_EQ(files(), (std::vector<std::string>{"a/", "a/b/", "a/b/second"}));
}

TEST_F(UploadTest, AnEndedUploadTakesNothingMore) {
    const auto committed = begin("a"), aborted = begin("b");
    committed->commit({});
    EXPECT_FAILS(BK_E_INVALID, "no more parts", send(*committed, 1, 0, "x"));
    EXPECT_FAILS(BK_E_INVALID, "ended", committed->commit({}));
    committed->abort();
    EXPECT_TRUE(store().stat("a")) << "abort after commit removed the object";
    aborted->abort();
    EXPECT_FAILS(BK_E_INVALID, "no more parts", send(*aborted, 1, 0, "x"));
    EXPECT_FAILS(BK_E_INVALID, "ended", aborted->commit({}));
}

TEST_F(UploadTest, AnObjectIsReplacedWhole) {
    put("a", "old text");
    const auto reader = store().read("a", 0, UINT64_MAX, nullptr);
    put("a", "new");
    EXPECT_EQ(get("a"), "new");
    std::array<uint8_t, 64> buffer{};
    EXPECT_EQ(reader->read(buffer), 8u) << "a reader of the old object lost it";
}

TEST_F(UploadTest, TheTemporaryNameFitsForTheLongestName) {
    const std::string key = "d/" + std::string(255, 'n');
    put(key, "text");
    EXPECT_EQ(get(key), "text");
}

// ---- what commit refuses

TEST_F(UploadTest, CommitRefusesWrongParts) {
    const auto upload = begin("a");
    const bk_part one = send(*upload, 1, 0, "abcd"), two = send(*upload, 2, 4, "efgh");
    bk_part late = two, longer = two, unsent = two;
    late.offset = 5;
    longer.size = 5;
    unsent.token[0] = '\0';
    const std::vector<std::vector<bk_part>> wrong{
        {}, {one}, {two}, {two, one}, {one, one}, {one, late}, {one, longer}, {one, unsent}};
    for (const auto& parts : wrong)
        EXPECT_FAILS(BK_E_CORRUPT, "not whole", upload->commit(parts));
    EXPECT_TRUE(keys().empty());
    upload->commit(std::vector{one, two});
    EXPECT_EQ(get("a"), "abcdefgh");
}

TEST_F(UploadTest, CommitRefusesAHole) {
    const auto upload = begin("a");
    const bk_part two = send(*upload, 2, 4, "efgh");
    const bk_part never{sizeof(bk_part), 1, 0, 4, ""};
    EXPECT_FAILS(BK_E_CORRUPT, "part 1 was not written", upload->commit(std::vector{never, two}));
}

TEST_F(UploadTest, APartBeyondAnyFileIsRefused) {
    const auto upload = begin("a");
    EXPECT_FAILS(BK_E_INVALID, "beyond", send(*upload, 1, UINT64_MAX, "x"));
    EXPECT_FAILS(BK_E_INVALID, "beyond", send(*upload, 1, INT64_MAX, "x"));
}

TEST_F(UploadTest, AKeyIsAnObjectOrADirectory) {
    put("a/b");
    EXPECT_FAILS(BK_E_INVALID, "is an object", put("a/b/c"));
    EXPECT_FAILS(BK_E_INVALID, "is a directory", put("a"));
    EXPECT_FAILS(BK_E_INVALID, "is a directory", put("a", "x", BK_PUT_IF_ABSENT));
    EXPECT_EQ(files(), (std::vector<std::string>{"a/", "a/b"}));
}

TEST_F(UploadTest, WhatADirectoryCannotDoIsRefused) {
    bk_put_options options = when(BK_PUT_IF_VERSION);
    EXPECT_FAILS(BK_E_UNSUPPORTED, "version", store().put("a", {}, options));
    options = when(77);
    EXPECT_FAILS(BK_E_INVALID, "condition 77", store().put("a", {}, options));
    options = when(BK_PUT_ALWAYS);
    options.retain_until_ms = 1;
    EXPECT_FAILS(BK_E_UNSUPPORTED, "lock", store().put("a", {}, options));
    EXPECT_FALSE(fs::exists(root));
}

TEST_F(UploadTest, KeysThatLeaveTheRootAreRefused) {
    for (const char* key : {"../escape", "a/../../escape", "/etc/escape", ".", ""})
        EXPECT_FAILS(BK_E_INVALID, "key", begin(key));
    EXPECT_FALSE(fs::exists(base / "escape"));
}

// ---- conditions

TEST_F(UploadTest, PutIfAbsentKeepsWhatIsThere) {
    put("a", "first", BK_PUT_IF_ABSENT);
    EXPECT_FAILS(BK_E_EXISTS, "exists already", put("a", "second", BK_PUT_IF_ABSENT));
    EXPECT_EQ(get("a"), "first");
    EXPECT_EQ(files(), std::vector<std::string>{"a"});
}

void race(LocalStorage& storage, int writers) {
    std::barrier start(writers);
    std::atomic<int> winners = 0, losers = 0;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < writers; ++i)
            threads.emplace_back([&, i] {
                const auto upload = storage.upload("race/key", when(BK_PUT_IF_ABSENT));
                bk_part part{sizeof(bk_part), 1, 0, 100, ""};
                upload->part(part, bytes(std::string(100, static_cast<char>('a' + i))));
                start.arrive_and_wait();
                const bk_status status = bk::guard(nullptr, [&] {
                    return upload->commit({&part, 1}), BK_OK;
                });
                if (status == BK_OK) ++winners;
                if (status == BK_E_EXISTS) ++losers;
            });
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, writers - 1);
}

TEST_F(UploadTest, OneOfSixteenWritersWins) {
    race(store(), 16);
    EXPECT_EQ(files(), (std::vector<std::string>{"race/", "race/key"}));
    EXPECT_EQ(get("race/key"), std::string(100, get("race/key")[0]));
}

TEST_F(UploadTest, PutIfAbsentWorksWithoutRenameNoreplace) {
    SyscallFaults faults;
    faults.on_rename = [](const std::string&) { return EINVAL; };
    put("a", "first", BK_PUT_IF_ABSENT);
    EXPECT_FAILS(BK_E_EXISTS, "exists already", put("a", "second", BK_PUT_IF_ABSENT));
    EXPECT_EQ(get("a"), "first");
    EXPECT_EQ(files(), std::vector<std::string>{"a"});
    faults.on_link = [](const std::string&) { return EPERM; };
    EXPECT_FAILS(BK_E_DENIED, "rename the upload", put("b", "x", BK_PUT_IF_ABSENT));
    EXPECT_EQ(files(), std::vector<std::string>{"a"});
}

TEST_F(UploadTest, ADirectoryMayBeRemovedWhileAnUploadEntersIt) {
    const auto storage = open({{"fsync", {"false"}}});
    (*storage)->probe(nullptr);
    std::jthread remover([&](const std::stop_token& stop) {
        while (!stop.stop_requested())
            (*storage)->remove("d/e/f/key");
    });
    for (int i = 0; i < 2000; ++i)
        (*storage)->put("d/e/f/key", {}, when(BK_PUT_ALWAYS));
    remover.request_stop();
    remover.join();
    (*storage)->remove("d/e/f/key");
    EXPECT_TRUE(files().empty());
}

// ---- durability

TEST_F(UploadTest, TheDataReachTheDiskBeforeTheName) {
    store().probe(nullptr);
    SyscallFaults faults;
    put("a/b/key");
    const std::string base_path = fs::canonical(root);
    ASSERT_EQ(faults.done.size(), 5u);
    EXPECT_THAT(faults.done[0], testing::MatchesRegex("sync .*/a/b/\\.key\\..*\\.part"));
    faults.done.erase(faults.done.begin());
    EXPECT_EQ(faults.done,
              (std::vector<std::string>{"rename key", "sync " + base_path,
                                        "sync " + base_path + "/a", "sync " + base_path + "/a/b"}));
}

TEST_F(UploadTest, FsyncFalseSyncsNothing) {
    SyscallFaults faults;
    const auto storage = open({{"fsync", {"false"}}});
    (*storage)->probe(nullptr);
    (*storage)->put("a/b", bytes("x"), when(BK_PUT_ALWAYS));
    (*storage)->remove("a/b");
    EXPECT_EQ(faults.done, std::vector<std::string>{"rename b"});
}

TEST_F(UploadTest, AFailedSyncIsFinal) {
    store().probe(nullptr);
    const auto upload = begin("a/b");
    const bk_part part = send(*upload, 1, 0, "text");
    SyscallFaults faults;
    int syncs = 0;
    faults.on_sync = [&](const std::string&) { return ++syncs == 1 ? EIO : 0; };
    EXPECT_FAILS(BK_E_UNAVAILABLE, "sync", upload->commit({&part, 1}));
    EXPECT_FAILS(BK_E_INVALID, "ended", upload->commit({&part, 1}));
    EXPECT_EQ(syncs, 1) << "the second fsync would have hidden the loss";
    upload->abort();
    EXPECT_TRUE(files().empty());
}

TEST_F(UploadTest, AFailedSyncOfTheDirectoryIsFinalToo) {
    store().probe(nullptr);
    const auto upload = begin("a/b");
    SyscallFaults faults;
    faults.on_sync = [&](const std::string& path) { return path.ends_with("/a") ? EIO : 0; };
    EXPECT_FAILS(BK_E_UNAVAILABLE, "sync", upload->commit({}));
    EXPECT_FAILS(BK_E_INVALID, "ended", upload->commit({}));
    upload->abort();
    EXPECT_TRUE(files().empty());
}

TEST_F(UploadTest, AbortAfterAFailedCommitSparesTheObjectOfAnother) {
    const auto upload = begin("a");
    {
        SyscallFaults faults;
        faults.on_sync = [&](const std::string& path) {
            return path == fs::canonical(root) ? EIO : 0;
        };
        EXPECT_FAILS(BK_E_UNAVAILABLE, "sync", upload->commit({}));
    }
    put("a", "another");
    upload->abort();
    EXPECT_EQ(get("a"), "another");
}

TEST_F(UploadTest, AFileSystemThatCannotSyncDirectoriesWillDo) {
    SyscallFaults faults;
    faults.on_sync = [](const std::string& path) { return fs::is_directory(path) ? EINVAL : 0; };
    put("a/b");
    EXPECT_EQ(keys(), std::vector<std::string>{"a/b"});
}

TEST_F(UploadTest, CommitMayBeCalledAgainAfterAFailedRename) {
    const auto upload = begin("a");
    SyscallFaults faults;
    int renames = 0;
    faults.on_rename = [&](const std::string&) { return ++renames == 1 ? ENOSPC : 0; };
    EXPECT_FAILS(BK_E_NO_SPACE, "rename", upload->commit({}));
    EXPECT_TRUE(keys().empty());
    upload->commit({});
    EXPECT_EQ(keys(), std::vector<std::string>{"a"});
}

// ---- full disks, interrupts

TEST_F(UploadTest, AFullDiskIsReportedAndLeavesNothing) {
    fs::create_directory(root);
    if (::mount("tmpfs", root.c_str(), "tmpfs", 0, "size=1m") != 0) GTEST_SKIP() << "cannot mount";
    put("old", "text");
    {
        const auto upload = begin("a/b");
        const bk::Error error = error_of([&] { send(*upload, 1, 0, sample(2 << 20)); });
        EXPECT_EQ(error.status(), BK_E_NO_SPACE);
        EXPECT_THAT(error.message(), HasSubstr((root / "a/b").string()));
        EXPECT_THAT(error.hint(), HasSubstr("free space"));
        EXPECT_EQ(keys(), std::vector<std::string>{"old"});
    }
    EXPECT_EQ(files(), std::vector<std::string>{"old"});
    EXPECT_EQ(::umount2(root.c_str(), MNT_DETACH), 0);
}

/// No file may grow beyond `limit` bytes while one lives.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t limit) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit now{limit, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST_F(UploadTest, AFileSizeLimitIsReportedAndLeavesNothing) {
    store().probe(nullptr);
    {
        const FileSizeLimit limit(100'000);
        const bk::Error error = error_of([&] { put("a/b", sample(200'000)); });
        EXPECT_EQ(error.status(), BK_E_NO_SPACE);
        EXPECT_EQ(error.native_code, EFBIG);
        EXPECT_THAT(error.hint(), HasSubstr("ulimit -f"));
    }
    EXPECT_TRUE(files().empty());
}

TEST_F(UploadTest, DirectoriesMadeForAFileThatCannotBeMadeAreRemoved) {
    put("kept/x");
    SyscallFaults faults;
    faults.on_lock = [](const std::string&) { return ENOLCK; };
    EXPECT_FAILS(BK_E_INTERNAL, "lock", begin("kept/a/b"));
    EXPECT_EQ(files(), (std::vector<std::string>{"kept/", "kept/x"}));
}

TEST_F(UploadTest, AnInterruptEndsWhatWasBegun) {
    const auto upload = begin("a/b");
    const bk_part part = send(*upload, 1, 0, "text");
    store().interrupt();
    EXPECT_FAILS(BK_E_CANCELLED, "interrupted", send(*upload, 2, 4, "text"));
    EXPECT_FAILS(BK_E_CANCELLED, "interrupted", upload->commit({&part, 1}));
    upload->abort();
    EXPECT_TRUE(files().empty());
    put("later");
    EXPECT_EQ(keys(), std::vector<std::string>{"later"});
}

TEST_F(UploadTest, AnInterruptFromAnotherThreadEndsALongWrite) {
    const auto upload = begin("a");
    SyscallFaults faults;
    faults.write_limit = 1;
    std::latch writing(1);
    int calls = 0;
    faults.on_write = [&] { return ++calls == 10 ? writing.count_down(), 0 : 0; };
    std::jthread other([&] {
        writing.wait();
        store().interrupt();
    });
    EXPECT_FAILS(BK_E_CANCELLED, "interrupted", send(*upload, 1, 0, std::string(64 << 20, 'x')));
}

} // namespace
} // namespace local
