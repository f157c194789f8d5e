// Writers in processes of their own commit and checkpoint all the time while the database is
// dumped: they are never blocked, and every image is exactly one of their states.
#include "page_image.hpp"
#include "testbed.hpp"

#include <atomic>
#include <new>
#include <thread>

#include <sys/mman.h>
#include <sys/wait.h>

namespace {

using namespace testbed;

/// What parent and children share.
struct Shared {
    std::atomic<bool> stop{false};
    std::atomic<int> commits{0}, busy{0}, failures{0}, checkpoints{0};
};

class SharedMemory {
public:
    SharedMemory()
        : memory_(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
        new (memory_) Shared;
    }
    ~SharedMemory() { ::munmap(memory_, sizeof(Shared)); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;
    Shared* operator->() const { return static_cast<Shared*>(memory_); }
    Shared& operator*() const { return *static_cast<Shared*>(memory_); }

private:
    void* memory_;
};

/// A child process; asked to stop and waited for at the end.
class Child {
public:
    template <class Body>
    Child(Shared& shared, Body&& body) : shared_(shared), pid_(::fork()) {
        if (pid_ != 0) return;
        body();
        ::_exit(0);
    }
    ~Child() {
        shared_.stop = true;
        int status = 0;
        ::waitpid(pid_, &status, 0);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

private:
    Shared& shared_;
    pid_t pid_;
};

void note(Shared& shared, int code) {
    if (code == SQLITE_BUSY)
        ++shared.busy;
    else if (code != SQLITE_OK)
        ++shared.failures;
}

/// Each commit moves one unit from a to b, counts in both, and replaces, adds or removes ballast.
void write_until_stopped(const std::string& path, Shared& shared) {
    Db db(path);
    db.attempt("PRAGMA synchronous=OFF");
    for (size_t i = 0; !shared.stop; ++i) {
        const int code = db.attempt(
            "BEGIN IMMEDIATE; UPDATE a SET n=n+1, v=v-1; UPDATE b SET n=n+1, v=v+1;"
            "UPDATE ballast SET x=randomblob(900) WHERE id%97=" +
            std::to_string(i % 97) + ";" +
            (i % 50 < 40 ? "INSERT INTO ballast(x) VALUES(randomblob(2000));"
                         : "DELETE FROM ballast WHERE id IN (SELECT max(id) FROM ballast);") +
            "COMMIT");
        note(shared, code);
        if (code != SQLITE_OK)
            db.attempt("ROLLBACK");
        else
            ++shared.commits;
    }
}

/// Checkpoints of another process; the kinds that lock writers out are the writer's own affair.
void checkpoint_until_stopped(const std::string& path, Shared& shared) {
    Db db(path);
    while (!shared.stop) {
        db.attempt("PRAGMA wal_checkpoint(PASSIVE)");
        ++shared.checkpoints;
        const int seen = shared.commits;
        while (!shared.stop && shared.commits < seen + 5)
            std::this_thread::yield();
    }
}

void wait_for(const std::atomic<int>& counter, int more) {
    const int goal = counter + more;
    while (counter < goal)
        std::this_thread::yield();
}

void make(const std::string& path) {
    Db db(path);
    db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
            "CREATE TABLE a(n, v); CREATE TABLE b(n, v); INSERT INTO a VALUES(0,1000000);"
            "INSERT INTO b VALUES(0,0); CREATE TABLE ballast(id INTEGER PRIMARY KEY, x);"
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<3000) "
            "INSERT INTO ballast(x) SELECT randomblob(1000) FROM n");
}

/// Dumps once; gives the counter of the state in the image.
int dump_once(const TempDirectory& directory, const std::string& path, Shared& shared) {
    Dumper dumper(path);
    dumper.begin();
    bk::RecordingSink pages(1 << 16), rows;
    std::thread proof([&] { dumper.dump(1, rows); });
    wait_for(shared.commits, 3); // so that the begin is well behind the writers
    dumper.dump(0, pages);
    proof.join();
    dumper.end();

    const std::string copy = directory.file("copy.db");
    fs::remove(copy);
    write_file(copy, pages.bytes());
    {
        Db db(copy);
        EXPECT_EQ(db.value("PRAGMA integrity_check"), "ok");
        EXPECT_EQ(db.value("SELECT a.n=b.n AND a.v+b.v=1000000 AND a.n=b.v FROM a,b"), "1");
    }
    Dumper again(copy);
    again.begin();
    bk::RecordingSink proved;
    again.dump(1, proved);
    again.end();
    EXPECT_EQ(proved.proofs().size(), 3U);
    for (size_t i = 0; i < proved.proofs().size(); ++i)
        EXPECT_EQ(proved.proofs()[i].digest, rows.proofs().at(i).digest)
            << proved.proofs()[i].table;
    return std::stoi(Db(copy).value("SELECT n FROM a"));
}

TEST(Writers, AreNeverBlockedAndEveryImageIsOneState) {
    const TempDirectory directory;
    const std::string path = directory.file("a.db");
    make(path);
    const SharedMemory shared;
    {
        const Child writer(*shared, [&] { write_until_stopped(path, *shared); });
        const Child checkpointer(*shared, [&] { checkpoint_until_stopped(path, *shared); });
        wait_for(shared->commits, 10);
        int last = 0;
        for (int i = 0; i < 25; ++i) {
            const int before = shared->commits;
            const int counter = dump_once(directory, path, *shared);
            EXPECT_GE(counter, before);
            EXPECT_GT(counter, last);
            last = counter;
        }
    }
    EXPECT_EQ(shared->busy, 0) << "a writer was blocked";
    EXPECT_EQ(shared->failures, 0);
    EXPECT_GT(shared->checkpoints, 5);
}

// Writers that close the database as the last one remove the log: not while it is read.
TEST(Writers, ClosingDoesNotTakeTheLogAway) {
    const TempDirectory directory;
    const std::string path = directory.file("a.db");
    make(path);
    const SharedMemory shared;
    {
        const Child writer(*shared, [&] {
            while (!shared->stop) {
                Db db(path);
                note(*shared, db.attempt("BEGIN IMMEDIATE; UPDATE a SET n=n+1, v=v-1;"
                                         "UPDATE b SET n=n+1, v=v+1; COMMIT"));
                ++shared->commits;
            }
        });
        wait_for(shared->commits, 2);
        for (int i = 0; i < 10; ++i)
            dump_once(directory, path, *shared);
    }
    EXPECT_EQ(shared->busy, 0);
    EXPECT_EQ(shared->failures, 0);
}

/// The counter in an image that was never a file.
std::string counter_of(std::vector<uint8_t> image) {
    image[18] = image[19] = 1; // a database in memory has no log
    Db db(":memory:");
    sqlite3_deserialize(db.get(), "main", image.data(), static_cast<sqlite3_int64>(image.size()),
                        static_cast<sqlite3_int64>(image.size()), SQLITE_DESERIALIZE_READONLY);
    return db.value("SELECT n FROM a");
}

// Commits as fast as they can be made fall between the steps in which the state is taken.
TEST(Writers, ImageAndRowsAreOfOneStateAtEveryBegin) {
    const TempDirectory directory;
    const std::string path = directory.file("a.db");
    Db(path).exec("PRAGMA journal_mode=WAL; CREATE TABLE a(n); INSERT INTO a VALUES(0)");
    const SharedMemory shared;
    {
        const Child writer(*shared, [&] {
            Db db(path);
            db.attempt("PRAGMA synchronous=OFF");
            for (int i = 1; !shared->stop; ++i) {
                note(*shared, db.attempt("UPDATE a SET n=n+1"));
                ++shared->commits;
                if (i % 50 == 0) db.attempt("PRAGMA wal_checkpoint(RESTART)");
            }
        });
        wait_for(shared->commits, 1);
        bk::FakeHost host;
        const sqlite_driver::Cancel cancel(host.host());
        for (int i = 0; i < 300; ++i) {
            sqlite_driver::Snapshot snapshot(path, {}, cancel);
            wait_for(shared->commits, 1);
            std::vector<uint8_t> image(size_t{snapshot.pages()} * snapshot.page_size());
            sqlite_driver::PageReader(snapshot, cancel).read(1, image);
            ASSERT_EQ(counter_of(image), snapshot.rows().text("SELECT n FROM a")) << i;
            snapshot.verify();
        }
    }
    EXPECT_EQ(shared->busy, 0);
}

} // namespace
