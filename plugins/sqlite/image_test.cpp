// A page image is one committed state, whatever the journal mode, the page size, and what writers
// and checkpoints do between the begin and the reading.
#include "page_image.hpp"
#include "testbed.hpp"

#include <thread>

namespace {

using namespace testbed;

constexpr uint32_t kImage = 0, kRows = 1;

/// A database with a table that fills some hundred pages, partly in the log.
void fill(Db& db, int rows = 2000) {
    db.exec("CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v TEXT, b BLOB)");
    db.exec("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<" +
            std::to_string(rows) + ") INSERT INTO t(v,b) SELECT 'row '||i, randomblob(200) FROM n");
}

struct Image {
    std::string answer, bytes;
};

Image dump(
    Dumper& dumper, const std::function<void()>& meanwhile = [] {}) {
    Image image{.answer = dumper.begin(), .bytes = {}};
    meanwhile();
    bk::RecordingSink sink;
    dumper.dump(kImage, sink);
    dumper.end();
    image.bytes = sink.bytes();
    EXPECT_EQ(sink.sections().size(), 1U);
    EXPECT_EQ(sink.sections()[0].kind, "image");
    EXPECT_EQ(sink.sections()[0].uncut(), "");
    return image;
}

std::string content_of_image(const TempDirectory& directory, const Image& image) {
    const std::string path = directory.file("restored.db");
    fs::remove(path);
    write_file(path, image.bytes);
    Db db(path);
    EXPECT_EQ(db.value("PRAGMA integrity_check"), "ok");
    return db.content();
}

TEST(LockPage, IsTheOneAtOneGibibyte) {
    EXPECT_EQ(sqlite_driver::lock_page(512), 2097153U);
    EXPECT_EQ(sqlite_driver::lock_page(4096), 262145U);
    EXPECT_EQ(sqlite_driver::lock_page(65536), 16385U);
}

class PageSizes : public testing::TestWithParam<int> {};

TEST_P(PageSizes, StatePartlyInTheLog) {
    const TempDirectory directory;
    Db db(directory.file("a.db"));
    db.exec("PRAGMA page_size=" + std::to_string(GetParam()) + "; PRAGMA journal_mode=WAL");
    fill(db);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.exec("UPDATE t SET v='changed' WHERE id%7=0");
    fill(db, 500); // the database grows in the log only
    const std::string expected = db.content();

    Dumper dumper(directory.file("a.db"));
    const Image image = dump(dumper);
    EXPECT_EQ(image.bytes.size() % static_cast<size_t>(GetParam()), 0U);
    EXPECT_EQ(content_of_image(directory, image), expected);
    EXPECT_THAT(image.answer, testing::HasSubstr(R"("journal_mode":"wal")"));
    EXPECT_THAT(image.answer, testing::HasSubstr("\"page_size\":" + std::to_string(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(All, PageSizes,
                         testing::Values(512, 1024, 2048, 4096, 8192, 16384, 32768, 65536));

class JournalModes : public testing::TestWithParam<const char*> {};

TEST_P(JournalModes, WholeFile) {
    const TempDirectory directory;
    Db db(directory.file("a.db"));
    db.exec(std::string("PRAGMA journal_mode=") + GetParam());
    fill(db);
    Dumper dumper(directory.file("a.db"));
    const Image image = dump(dumper);
    EXPECT_EQ(image.bytes, read_file(directory.file("a.db")));
    EXPECT_EQ(content_of_image(directory, image), db.content());
}

INSTANTIATE_TEST_SUITE_P(All, JournalModes,
                         testing::Values("delete", "truncate", "persist", "memory"));

class Wal : public testing::Test {
protected:
    Wal() {
        db.exec("PRAGMA journal_mode=WAL");
        fill(db);
    }
    /// Dumps while `meanwhile` runs between the begin and the reading; the image must be of before.
    void expect_state_of_begin(const std::function<void()>& meanwhile) {
        const std::string expected = db.content();
        Dumper dumper(path);
        const Image image = dump(dumper, meanwhile);
        EXPECT_EQ(content_of_image(directory, image), expected);
        EXPECT_NE(db.content(), expected) << "the writer did nothing: the test proves nothing";
    }
    std::string checkpoint(const std::string& mode) {
        return db.rows("PRAGMA wal_checkpoint(" + mode + ")");
    }

    TempDirectory directory;
    std::string path = directory.file("a.db");
    Db db{path};
};

TEST_F(Wal, LaterCommitsAreNotInIt) {
    expect_state_of_begin([&] {
        db.exec("DELETE FROM t WHERE id%2=0");
        fill(db, 3000);
    });
}

TEST_F(Wal, LaterCommitsAndCheckpointsAreNotInIt) {
    expect_state_of_begin([&] {
        for (const char* mode : {"PASSIVE", "FULL", "RESTART", "TRUNCATE"}) {
            db.exec("UPDATE t SET b=randomblob(200)");
            checkpoint(mode);
        }
    });
}

TEST_F(Wal, ShrinkingAfterwardsDoesNotCutTheFile) {
    checkpoint("TRUNCATE");
    db.exec("UPDATE t SET v='x' WHERE id=1");
    expect_state_of_begin([&] {
        db.exec("DELETE FROM t; VACUUM");
        checkpoint("PASSIVE");
    });
}

TEST_F(Wal, PartOfTheLogIsCheckpointedBefore) {
    Db reader(path);
    reader.exec("BEGIN");
    (void)reader.value("SELECT count(*) FROM t"); // its mark stops the checkpoint here
    db.exec("UPDATE t SET v='after the mark'");
    checkpoint("PASSIVE");
    reader.exec("ROLLBACK");
    expect_state_of_begin([&] {
        db.exec("UPDATE t SET v='later'");
        checkpoint("FULL");
    });
}

// Read mark 0: the reader uses the file alone, and the log may be started again under it.
TEST_F(Wal, LogIsRestartedWhileTheFileIsRead) {
    checkpoint("PASSIVE");
    const auto log_before = read_file(path + "-wal").substr(16, 8);
    expect_state_of_begin([&] {
        db.exec("UPDATE t SET v='in the new log', b=randomblob(300)");
        checkpoint("PASSIVE");
        db.exec("UPDATE t SET v='again'");
        checkpoint("RESTART");
    });
    EXPECT_NE(read_file(path + "-wal").substr(16, 8), log_before) << "the log was not restarted";
}

TEST_F(Wal, EmptyLog) {
    checkpoint("TRUNCATE");
    expect_state_of_begin([&] {
        fill(db, 100);
        checkpoint("TRUNCATE");
    });
}

TEST_F(Wal, NobodyElseHasItOpen) {
    const TempDirectory other;
    {
        Db closed(other.file("a.db"));
        closed.exec("PRAGMA journal_mode=WAL");
        fill(closed);
    }
    const std::string before = read_file(other.file("a.db"));
    Dumper dumper(other.file("a.db"));
    EXPECT_EQ(dump(dumper).bytes, before);
    EXPECT_EQ(read_file(other.file("a.db")), before) << "a backup must not write";
}

TEST_F(Wal, ClosingAsTheLastOneDoesNotCheckpoint) {
    const TempDirectory other;
    for (const char* ending : {"", "-wal"}) // a database whose application died
        fs::copy_file(path + ending, other.file(std::string("a.db") + ending));
    const std::string before = read_file(other.file("a.db")),
                      log = read_file(other.file("a.db-wal"));
    Dumper dumper(other.file("a.db"));
    const Image image = dump(dumper);
    EXPECT_EQ(read_file(other.file("a.db")), before);
    EXPECT_EQ(read_file(other.file("a.db-wal")), log);
    EXPECT_EQ(content_of_image(directory, image), db.content());
}

TEST_F(Wal, RowProofIsOfTheSameState) {
    Dumper dumper(path);
    dumper.begin();
    EXPECT_EQ(dumper.plan(), (std::vector<uint32_t>{kImage, kRows}));
    db.exec("DELETE FROM t WHERE id>10");
    bk::RecordingSink pages, rows;
    dumper.dump(kImage, pages);
    dumper.dump(kRows, rows);
    dumper.end();
    ASSERT_EQ(rows.proofs().size(), 1U);
    EXPECT_EQ(rows.proofs()[0].rows, 2000U);
    EXPECT_TRUE(rows.sections().empty());

    write_file(directory.file("r.db"), pages.bytes());
    Dumper again(directory.file("r.db"));
    again.begin();
    bk::RecordingSink proof;
    again.dump(kRows, proof);
    again.end();
    EXPECT_EQ(proof.proofs()[0].digest, rows.proofs()[0].digest);
    EXPECT_EQ(proof.proofs()[0].rows, 2000U);
}

TEST_F(Wal, RowProofSeesOneChangedByte) {
    const auto digest = [&] {
        Dumper dumper(path);
        dumper.begin();
        bk::RecordingSink sink;
        dumper.dump(kRows, sink);
        dumper.end();
        return sink.proofs().at(0).digest;
    };
    const auto before = digest();
    EXPECT_EQ(digest(), before);
    db.exec("UPDATE t SET v='row 1000.' WHERE v='row 1000'");
    EXPECT_NE(digest(), before);
}

TEST_F(Wal, RowProofCanBeSwitchedOff) {
    Dumper dumper({{"path", {path}}, {"row-proof", {"false"}}});
    dumper.begin();
    EXPECT_EQ(dumper.plan(), (std::vector<uint32_t>{kImage}));
    dumper.end();
}

TEST_F(Wal, RowProofOfUnusualTables) {
    db.exec("CREATE TABLE \"a\"\"b\nc\"(\"x'y\" INT, g INT GENERATED ALWAYS AS (1) STORED, z);"
            "INSERT INTO \"a\"\"b\nc\" VALUES(1, NULL), (NULL, 2);"
            "CREATE TABLE w(k TEXT COLLATE NOCASE PRIMARY KEY, v) WITHOUT ROWID;"
            "INSERT INTO w VALUES('k', x'00');"
            "CREATE VIRTUAL TABLE f USING fts5(text); INSERT INTO f VALUES('some words');"
            "CREATE VIEW v AS SELECT * FROM w");
    Dumper dumper(path);
    dumper.begin();
    bk::RecordingSink sink;
    dumper.dump(kRows, sink);
    dumper.end();
    std::vector<std::string> names;
    for (const auto& proof : sink.proofs())
        names.push_back(proof.table + "=" + std::to_string(proof.rows));
    EXPECT_THAT(names, testing::ElementsAre("a\"b\nc=2", "f_config=1", "f_content=1", "f_data=3",
                                            "f_docsize=1", "f_idx=1", "t=2000", "w=1"));
}

TEST_F(Wal, FailingSinkEndsTheUnitInItsStatus) {
    for (const uint64_t n : {1, 2}) {
        Dumper dumper(path);
        dumper.begin();
        bk::RecordingSink sink(1 << 17);
        sink.fail_at_write(n, BK_E_UNAVAILABLE);
        EXPECT_EQ(failure([&] { dumper.dump(kImage, sink); }), BK_E_UNAVAILABLE);
        EXPECT_EQ(sink.calls_after_failure(), 0U);
        dumper.end(false);
    }
}

TEST_F(Wal, CancelInTheMiddle) {
    Dumper dumper(path);
    dumper.begin();
    bk::RecordingSink sink(1 << 14);
    dumper.host.cancel_at_poll(3);
    EXPECT_EQ(failure([&] { dumper.dump(kImage, sink); }), BK_E_CANCELLED);
    EXPECT_EQ(failure([&] { dumper.dump(kRows, sink); }), BK_E_CANCELLED);
    dumper.end(false);
}

TEST_F(Wal, InterruptFromAnotherThreadEndsTheWaitForALock) {
    Db exclusive(directory.file("locked.db"));
    exclusive.exec("CREATE TABLE t(x); BEGIN EXCLUSIVE");
    Dumper dumper({{"path", {directory.file("locked.db")}}, {"busy-timeout", {"10m"}}});
    bk_status status = BK_OK;
    std::thread waiting([&] { status = failure([&] { dumper.begin(); }); });
    while (dumper.host.polls() < 2)
        std::this_thread::yield();
    dumper.interrupt();
    waiting.join();
    EXPECT_EQ(status, BK_E_CANCELLED);
}

TEST_F(Wal, DamagedLogIsFound) {
    // Frames that SQLite accepted when it opened the log, changed on disk afterwards.
    Dumper dumper(path);
    dumper.begin();
    {
        std::fstream log(path + "-wal", std::ios::in | std::ios::out | std::ios::binary);
        log.seekp(32 + 24 + 100);
        log.put('!');
    }
    bk::RecordingSink sink;
    std::string message;
    EXPECT_EQ(failure([&] { dumper.dump(kImage, sink); }, &message), BK_E_CORRUPT);
    EXPECT_THAT(message, testing::HasSubstr("frame 1 has a wrong checksum"));
    dumper.end(false);
}

TEST_F(Wal, CutFileIsFound) {
    checkpoint("TRUNCATE");
    Dumper dumper(path);
    dumper.begin();
    fs::resize_file(path, fs::file_size(path) - 4096);
    bk::RecordingSink sink;
    EXPECT_EQ(failure([&] { dumper.dump(kImage, sink); }), BK_E_CORRUPT);
    dumper.end(false);
}

// What a descriptor of our own, opened and closed in this process, would do to SQLite's locks.
TEST_F(Wal, LostReadLockFailsTheDump) {
    checkpoint("TRUNCATE");
    Dumper dumper(path);
    dumper.begin();
    bk::RecordingSink sink;
    dumper.dump(kImage, sink);
    // A writer that does not respect the lock: it says that frames went into the file.
    fill(db, 10);
    {
        std::fstream index(path + "-shm", std::ios::in | std::ios::out | std::ios::binary);
        const uint32_t backfilled = 1;
        index.seekp(96);
        index.write(reinterpret_cast<const char*>(&backfilled), sizeof backfilled);
    }
    std::string message;
    EXPECT_EQ(failure([&] { dumper.end(); }, &message), BK_E_INTERNAL);
    EXPECT_THAT(message, testing::HasSubstr("read lock was lost"));
}

class Rollback : public testing::Test {
protected:
    Rollback() { fill(db); }
    TempDirectory directory;
    std::string path = directory.file("a.db");
    Db db{path};
};

TEST_F(Rollback, CommitsWaitUntilTheEnd) {
    const std::string expected = db.content();
    Dumper dumper(path);
    const Image image = dump(dumper, [&] {
        EXPECT_EQ(db.attempt("UPDATE t SET v='x'"), SQLITE_BUSY);
        db.attempt("ROLLBACK");
    });
    EXPECT_EQ(content_of_image(directory, image), expected);
    db.exec("UPDATE t SET v='x'");
}

TEST_F(Rollback, LockIsLetGoAfterMaxLockAndTheDumpFails) {
    Dumper dumper({{"path", {path}}, {"max-lock", {"30ms"}}});
    dumper.begin();
    sqlite3_busy_timeout(db.get(), 20'000);
    db.exec("UPDATE t SET v='x'"); // waits until the lock is gone
    bk::RecordingSink sink;
    std::string message;
    EXPECT_EQ(failure([&] { dumper.dump(kImage, sink); }, &message), BK_E_TIMEOUT);
    EXPECT_THAT(message, testing::HasSubstr("WAL mode"));
    EXPECT_EQ(sink.bytes(), "") << "pages read without the lock must not go out";
    EXPECT_EQ(failure([&] { dumper.dump(kRows, sink); }), BK_E_TIMEOUT);
    EXPECT_EQ(failure([&] { dumper.end(); }), BK_E_TIMEOUT);
}

TEST_F(Rollback, BusyWhenAWriterDoesNotLetGo) {
    db.exec("BEGIN EXCLUSIVE");
    Dumper dumper({{"path", {path}}, {"busy-timeout", {"20ms"}}});
    EXPECT_EQ(failure([&] { dumper.begin(); }), BK_E_BUSY);
    db.exec("ROLLBACK");
}

TEST(Refused, WhatIsNoDatabase) {
    const TempDirectory directory;
    write_file(directory.file("text"), std::string(5000, 'x'));
    write_file(directory.file("empty"), "");
    fs::create_directory(directory.file("dir"));
    const auto status = [](const std::string& path) {
        Dumper dumper(path);
        return failure([&] { dumper.begin(); });
    };
    EXPECT_EQ(status(directory.file("missing")), BK_E_NOT_FOUND);
    EXPECT_EQ(status(directory.file("text")), BK_E_INVALID);
    EXPECT_EQ(status(directory.file("empty")), BK_E_INVALID);
    EXPECT_EQ(status(directory.file("dir")), BK_E_INVALID);
    EXPECT_EQ(status(":memory:"), BK_E_CONFIG);
    EXPECT_FALSE(fs::exists(directory.file("missing")));
}

TEST(Refused, UnreadableFile) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
    const TempDirectory directory;
    Db(directory.file("a.db")).exec("CREATE TABLE t(x)");
    fs::permissions(directory.file("a.db"), fs::perms::none);
    Dumper dumper(directory.file("a.db"));
    EXPECT_EQ(failure([&] { dumper.begin(); }), BK_E_DENIED);
}

TEST(Refused, PartsOfAPageImage) {
    const TempDirectory directory;
    Db(directory.file("a.db")).exec("CREATE TABLE t(x)");
    Dumper dumper(directory.file("a.db"));
    for (const char* request : {R"({"include":["t"]})", R"({"exclude":["t"]})",
                                R"({"what":"schema"})", R"({"tables":{"t":{"where":"x=1"}}})"})
        EXPECT_EQ(failure([&] { dumper.begin(request); }), BK_E_UNSUPPORTED) << request;
    EXPECT_EQ(failure([&] { dumper.begin("[]"); }), BK_E_INVALID);
}

TEST(Probe, TellsWhatItIs) {
    const TempDirectory directory;
    Db db(directory.file("a.db"));
    db.exec("CREATE TABLE t(x)");
    fs::create_symlink(directory.file("a.db"), directory.file("link"));
    const std::string direct = Dumper(directory.file("a.db")).probe();
    EXPECT_EQ(Dumper(directory.file("link")).probe(), direct);
    EXPECT_THAT(direct, testing::HasSubstr(R"("engine":"sqlite")"));
    EXPECT_THAT(direct, testing::HasSubstr(R"("size":8192)"));
    EXPECT_THAT(direct, testing::HasSubstr("not in WAL mode"));
    db.exec("PRAGMA journal_mode=WAL");
    EXPECT_THAT(Dumper(directory.file("a.db")).probe(), testing::HasSubstr(R"("warnings":[])"));
}

TEST(Inspect, TablesKeysAndEstimates) {
    const TempDirectory directory;
    Db db(directory.file("a.db"));
    db.exec("CREATE TABLE a(x INTEGER PRIMARY KEY, y TEXT NOT NULL, z AS (x+1));"
            "CREATE TABLE b(p, q, r REFERENCES a(x), PRIMARY KEY(q,p)) WITHOUT ROWID;"
            "CREATE INDEX i ON a(y); INSERT INTO a VALUES(1,'1'),(2,'2'); ANALYZE");
    EXPECT_EQ(Dumper(directory.file("a.db")).inspect(),
              R"({"tables":[{"namespace":"main","name":"a","rows":2,"columns":[)"
              R"({"name":"x","type":"INTEGER","nullable":true},)"
              R"({"name":"y","type":"TEXT","nullable":false}],"key":["x"],"foreign_keys":[]},)"
              R"({"namespace":"main","name":"b","rows":null,"columns":[)"
              R"({"name":"p","type":"","nullable":false},{"name":"q","type":"","nullable":false},)"
              R"({"name":"r","type":"","nullable":true}],"key":["q","p"],"foreign_keys":[)"
              R"({"columns":["r"],"table":"a","references":["x"]}]}]})");
}

// More than 1 GiB, so that the lock page lies in the middle of the data.
TEST(Long, DatabaseAcrossTheLockPage) {
    if (std::getenv("BKHOST_LONG_TESTS") == nullptr) GTEST_SKIP() << "BKHOST_LONG_TESTS=1 runs it";
    const TempDirectory directory;
    Db db(directory.file("a.db"));
    db.exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE t(id INTEGER PRIMARY "
            "KEY, b)");
    db.exec("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<1100) "
            "INSERT INTO t(b) SELECT randomblob(1000000) FROM n");
    db.exec("PRAGMA journal_mode=WAL; UPDATE t SET b=zeroblob(900000) WHERE id>1090");
    Dumper dumper(directory.file("a.db"));
    const Image image = dump(dumper);
    constexpr size_t lock_byte = 0x40000000;
    ASSERT_GT(image.bytes.size(), lock_byte + 4096);
    EXPECT_EQ(image.bytes.substr(lock_byte, 4096), std::string(4096, '\0'));
    write_file(directory.file("r.db"), image.bytes);
    Db restored(directory.file("r.db"));
    EXPECT_EQ(restored.value("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(restored.value("SELECT count(*)||' '||sum(length(b)) FROM t"),
              db.value("SELECT count(*)||' '||sum(length(b)) FROM t"));
}

} // namespace
