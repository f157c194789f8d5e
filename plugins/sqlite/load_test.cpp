// Restoring a page image: the same database comes back, whole or not at all, and nothing that is in
// use or belongs to somebody else is touched.
#include "testbed.hpp"

#include <csignal>

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace {

using namespace testbed;

class Load : public testing::Test {
protected:
    Load() {
        Db db(directory.file("source.db"));
        db.exec("PRAGMA journal_mode=WAL; PRAGMA user_version=7; CREATE TABLE t(id INTEGER PRIMARY "
                "KEY, b);"
                "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<1000) "
                "INSERT INTO t(b) SELECT randomblob(1000) FROM n");
        content = db.content();
        Dumper dumper(directory.file("source.db"));
        answer = dumper.begin();
        dumper.dump(0, dump);
        dumper.end();
    }
    std::string request(const std::string& mode = "refuse") { return load_request(answer, mode); }
    bk_status restore(const std::string& mode = "refuse",
                      const bk::FakeConfig::Values& more = {{"busy-timeout", {"1ms"}}}) {
        bk::FakeConfig::Values values = more;
        values["path"] = {target};
        Dumper dumper(values);
        return failure([&] { load_all(dumper, request(mode), dump); }, &message);
    }
    /// Names of the directory that belong to a restore or its target.
    std::vector<std::string> left() {
        std::vector<std::string> all;
        for (const std::string& name : directory.names())
            if (name.find("target.db") != std::string::npos) all.push_back(name);
        return all;
    }

    TempDirectory directory;
    std::string target = directory.file("target.db");
    bk::RecordingSink dump{1 << 16};
    std::string answer, content, message;
};

TEST_F(Load, GivesTheSameDatabase) {
    ASSERT_EQ(restore(), BK_OK) << message;
    EXPECT_EQ(read_file(target), dump.bytes());
    EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
    EXPECT_EQ(content_of(target), content);
    EXPECT_EQ(Db(target).value("PRAGMA user_version"), "7");
}

TEST_F(Load, NewFileHasTheModeOfTheUmask) {
    const mode_t old = ::umask(027);
    const bk_status status = restore();
    ::umask(old);
    ASSERT_EQ(status, BK_OK);
    struct stat info {};
    ::stat(target.c_str(), &info);
    EXPECT_EQ(info.st_mode & 0777U, 0640U);
}

TEST_F(Load, ExistingTargetIsRefusedBeforeAnythingIsRead) {
    write_file(target, "mine");
    Dumper dumper(target);
    EXPECT_EQ(failure([&] { dumper.load_begin(request()); }, &message), BK_E_EXISTS);
    EXPECT_THAT(message, testing::HasSubstr("target.db' exists"));
    EXPECT_EQ(read_file(target), "mine");
    EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
}

TEST_F(Load, FilesOfAnOlderDatabaseAreRefused) {
    for (const char* ending : {"-wal", "-shm", "-journal"}) {
        for (const char* mode : {"refuse", "replace"}) {
            write_file(target + ending, "old");
            EXPECT_EQ(restore(mode), BK_E_EXISTS) << mode;
            EXPECT_THAT(message, testing::HasSubstr(std::string("target.db") + ending));
            EXPECT_EQ(left(), std::vector<std::string>{std::string("target.db") + ending});
        }
        fs::remove(target + ending);
    }
}

TEST_F(Load, TargetThatAppearsMeanwhileIsNotOverwritten) {
    for (const char* mode : {"refuse", "replace"}) {
        Dumper dumper(target);
        void* session = dumper.load_begin(request(mode));
        bk::MemorySource source(dump.bytes());
        dumper.load(session, dump.sections()[0], 0, source);
        write_file(target, "mine"); // not a database either
        EXPECT_EQ(failure([&] { dumper.load_end(session); }, &message), BK_E_EXISTS) << mode;
        EXPECT_EQ(read_file(target), "mine");
        EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
        fs::remove(target);
    }
}

TEST_F(Load, ReplacesADatabaseAndKeepsItsMode) {
    for (const char* journal : {"delete", "wal"}) {
        {
            Db old(target);
            old.exec(std::string("PRAGMA journal_mode=") + journal +
                     "; CREATE TABLE IF NOT EXISTS old(x); INSERT INTO old VALUES(1)");
        }
        fs::permissions(target, fs::perms(0604));
        ASSERT_EQ(restore("replace"), BK_OK) << message;
        EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
        EXPECT_EQ(fs::status(target).permissions(), fs::perms(0604));
        EXPECT_EQ(content_of(target), content);
        fs::remove(target);
    }
}

TEST_F(Load, LogOfTheReplacedDatabaseGoesToo) {
    {
        Db old(directory.file("old.db"));
        old.exec("PRAGMA journal_mode=WAL; CREATE TABLE old(x); INSERT INTO old VALUES(1)");
        for (const char* ending : {"", "-wal", "-shm"}) // as after a crash
            fs::copy_file(directory.file("old.db") + ending, target + ending);
    }
    ASSERT_EQ(restore("replace"), BK_OK) << message;
    EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
    EXPECT_EQ(content_of(target), content);
}

TEST_F(Load, DatabaseInUseIsNotReplaced) {
    for (const char* journal : {"delete", "wal"}) {
        Db user(target);
        user.exec(std::string("PRAGMA journal_mode=") + journal +
                  "; CREATE TABLE IF NOT EXISTS old(x); BEGIN; SELECT * FROM old");
        const std::string before = user.content();
        EXPECT_EQ(restore("replace"), BK_E_BUSY) << journal;
        EXPECT_THAT(message, testing::HasSubstr("in use"));
        EXPECT_EQ(user.content(), before);
        user.exec("COMMIT");
    }
}

TEST_F(Load, DatabaseOpenedDuringTheRestoreIsNotReplaced) {
    Db(target).exec("PRAGMA journal_mode=WAL; CREATE TABLE old(x)");
    Dumper dumper({{"path", {target}}, {"busy-timeout", {"1ms"}}});
    void* session = dumper.load_begin(request("replace"));
    bk::MemorySource source(dump.bytes());
    dumper.load(session, dump.sections()[0], 0, source);
    Db user(target);
    (void)user.value("SELECT count(*) FROM old");
    EXPECT_EQ(failure([&] { dumper.load_end(session); }), BK_E_BUSY);
    user.exec("INSERT INTO old VALUES(2)");
    EXPECT_EQ(user.value("SELECT count(*) FROM old"), "1");
}

TEST_F(Load, OtherFilesAreNotReplaced) {
    write_file(target, std::string(5000, 'x'));
    EXPECT_EQ(restore("replace"), BK_E_EXISTS);
    EXPECT_EQ(read_file(target), std::string(5000, 'x'));
}

TEST_F(Load, MissingDirectory) {
    target = directory.file("no/such/target.db");
    EXPECT_EQ(restore(), BK_E_NOT_FOUND);
    EXPECT_THAT(message, testing::HasSubstr("no/such"));
}

TEST_F(Load, FailedRestoreLeavesNothing) {
    Dumper dumper(target);
    void* session = dumper.load_begin(request());
    EXPECT_EQ(left().size(), 1U) << "the temporary file";
    dumper.load_end(session, false);
    EXPECT_EQ(left().size(), 0U);
}

TEST_F(Load, ShortLongAndShuffledImagesFail) {
    const auto with = [&](const std::string& bytes, uint64_t offset) {
        Dumper dumper(target);
        void* session = dumper.load_begin(request());
        bk_status status = failure([&] {
            bk::MemorySource source(bytes);
            dumper.load(session, dump.sections()[0], offset, source);
        });
        const bool ok = status == BK_OK;
        const bk_status end = failure([&] { dumper.load_end(session, ok); });
        return ok ? end : status;
    };
    EXPECT_EQ(with(dump.bytes().substr(0, dump.bytes().size() - 1), 0), BK_E_CORRUPT);
    EXPECT_EQ(with(dump.bytes() + "x", 0), BK_E_CORRUPT);
    EXPECT_EQ(with(dump.bytes(), 4096), BK_E_INVALID);
    EXPECT_EQ(left().size(), 0U);
}

TEST_F(Load, DamagedImageFailsItsIntegrityCheck) {
    std::string bytes = dump.bytes();
    std::fill(bytes.begin() + 4096, bytes.begin() + 4096 * 3, 'x');
    const auto load = [&](const char* check) {
        Dumper dumper({{"path", {target}}, {"integrity-check", {check}}});
        void* session = dumper.load_begin(request());
        bk::MemorySource source(bytes);
        dumper.load(session, dump.sections()[0], 0, source);
        return failure([&] { dumper.load_end(session); });
    };
    EXPECT_EQ(load("quick"), BK_E_CORRUPT);
    EXPECT_EQ(load("full"), BK_E_CORRUPT);
    EXPECT_EQ(left().size(), 0U);
    EXPECT_EQ(load("none"), BK_OK);
    fs::remove(target);
    bytes[0] = 'x'; // the header
    EXPECT_EQ(load("quick"), BK_E_CORRUPT);
}

TEST_F(Load, CollationOfTheApplicationIsAWarning) {
    const TempDirectory other;
    {
        Db db(other.file("a.db"));
        sqlite3_create_collation(db.get(), "own", SQLITE_UTF8, nullptr,
                                 [](void*, int, const void*, int, const void*) { return 0; });
        db.exec("CREATE TABLE w(k TEXT COLLATE own PRIMARY KEY) WITHOUT ROWID; INSERT INTO w "
                "VALUES('x')");
    }
    Dumper dumper(other.file("a.db"));
    answer = dumper.begin();
    bk::RecordingSink pages, rows;
    dumper.dump(0, pages);
    dumper.dump(1, rows);
    dumper.end();
    EXPECT_EQ(rows.proofs().at(0).rows, 1U);
    Dumper loader(target);
    load_all(loader, request(), pages);
    ASSERT_EQ(loader.host.warnings().size(), 1U);
    EXPECT_THAT(loader.host.warnings()[0].text, testing::HasSubstr("no such collation"));
}

// A limit on the file's size gives what a full disk gives, at the first write past it.
TEST_F(Load, NoSpace) {
    const pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{100'000, 100'000};
        ::setrlimit(RLIMIT_FSIZE, &limit);
        const bool right = restore() == BK_E_NO_SPACE && left().empty() &&
                           message.find("target.db") != std::string::npos;
        ::_exit(right ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(Load, SourceThatFailsLeavesNothing) {
    Dumper dumper(target);
    void* session = dumper.load_begin(request());
    bk::MemorySource source(dump.bytes());
    source.fail_at(100'000, BK_E_UNAVAILABLE);
    EXPECT_EQ(failure([&] { dumper.load(session, dump.sections()[0], 0, source); }),
              BK_E_UNAVAILABLE);
    dumper.load_end(session, false);
    EXPECT_EQ(left().size(), 0U);
}

TEST_F(Load, LeftoversOfDeadRestoresAreSwept) {
    const std::string dead = directory.file(".target.db.bkhost-0123456789");
    const std::string alive = directory.file(".target.db.bkhost-abcdefghij");
    const std::string other = directory.file(".target.db.bkhost-notours");
    for (const std::string& path : {dead, dead + "-journal", alive, other})
        write_file(path, "x");
    const int lock = ::open(alive.c_str(), O_RDONLY);
    ::flock(lock, LOCK_EX);
    EXPECT_EQ(restore(), BK_OK) << message;
    EXPECT_FALSE(fs::exists(dead));
    EXPECT_FALSE(fs::exists(dead + "-journal"));
    EXPECT_TRUE(fs::exists(alive));
    EXPECT_TRUE(fs::exists(other));
    ::close(lock);
}

TEST_F(Load, OddRequestsAreRefused) {
    Dumper dumper(target);
    const auto status = [&](const std::string& text) {
        return failure([&] { dumper.load_begin(text); });
    };
    EXPECT_EQ(status(request("append")), BK_E_UNSUPPORTED);
    EXPECT_EQ(status(R"({"format":"image","layout":{}})"), BK_E_INVALID);
    EXPECT_EQ(status(R"({"format":"tar","layout":{}})"), BK_E_UNSUPPORTED);
    EXPECT_EQ(status("no json"), BK_E_INVALID);
    EXPECT_EQ(left().size(), 0U);
}

TEST_F(Load, LinkIsFollowed) {
    Db(directory.file("real.db")).exec("CREATE TABLE old(x)");
    fs::create_symlink(directory.file("real.db"), target);
    EXPECT_EQ(restore("replace"), BK_OK) << message;
    EXPECT_TRUE(fs::is_symlink(target));
    EXPECT_EQ(content_of(directory.file("real.db")), content);
}

} // namespace
