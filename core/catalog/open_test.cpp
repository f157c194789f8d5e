// Opening, creating, migrating, and a file system or file that fails.
#include "core/catalog/catalog_fixture.hpp"
#include "core/catalog/schema.hpp"

#include <gmock/gmock.h>

#include <barrier>
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace bkhost {
namespace {

using test::error_of;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class OpenTest : public test::CatalogTest {
protected:
    bk::Error open_error() {
        return error_of([&] { const Catalog catalog(file_, clock_, probe_); });
    }
    static mode_t mode(const fs::path& path) {
        struct stat status {};
        EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
        return status.st_mode & 07777;
    }
};

/// No file of this process may grow past that size meanwhile.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        before_handler_ = ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        ::signal(SIGXFSZ, before_handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
    sighandler_t before_handler_ = SIG_DFL;
};

/// The tests may run as root, whom no directory stops.
class WithoutRoot {
public:
    WithoutRoot() {
        if (::geteuid() == 0) changed_ = ::seteuid(65534) == 0;
    }
    ~WithoutRoot() {
        if (changed_ && ::seteuid(0) != 0) std::abort();
    }
    WithoutRoot(const WithoutRoot&) = delete;
    WithoutRoot& operator=(const WithoutRoot&) = delete;

private:
    bool changed_ = false;
};

} // namespace

TEST_F(OpenTest, CreatesFileAndDirectoriesForTheUserAlone) {
    file_ = dir_.path / "state" / "bkhost" / "catalog.db";
    Catalog catalog(file_, clock_, probe_);
    (void)catalog.begin_backup(row(id(0)));
    EXPECT_EQ(catalog.file(), file_);
    EXPECT_EQ(mode(file_), 0600u);
    EXPECT_EQ(mode(file_.string() + "-wal"), 0600u);
    EXPECT_EQ(mode(dir_.path / "state"), 0700u);
    EXPECT_EQ(mode(dir_.path / "state" / "bkhost"), 0700u);
    for (const auto& entry : fs::directory_iterator(file_.parent_path()))
        EXPECT_THAT(entry.path().filename().string(), ::testing::StartsWith("catalog.db"));
    EXPECT_EQ(std::distance(fs::directory_iterator(file_.parent_path()), {}), 3)
        << "db, -wal, -shm";
}

TEST_F(OpenTest, RelativeNameWithoutADirectoryWorks) {
    const fs::path before = fs::current_path();
    fs::current_path(dir_.path);
    { const Catalog catalog("catalog.db", clock_, probe_); }
    fs::current_path(before);
    EXPECT_TRUE(fs::exists(file_));
}

// Found so: one of the eight read the file while another was making the tables, and took it for a
// stranger's. It needs some rounds to show.
TEST_F(OpenTest, EightOpenAnAbsentFileAtOnce) {
    for (int round = 0; round < 20; ++round) {
        file_ = dir_.path / std::to_string(round) / "catalog.db";
        std::barrier start(8);
        std::atomic<int> opened{0};
        {
            std::vector<std::jthread> threads;
            for (int i = 0; i < 8; ++i)
                threads.emplace_back([&, i] {
                    start.arrive_and_wait();
                    try {
                        Catalog catalog(file_, clock_, probe_);
                        (void)catalog.begin_backup(row(id(i)));
                        ++opened;
                    } catch (const bk::Error& error) {
                        ADD_FAILURE() << error.what();
                    }
                });
        }
        ASSERT_EQ(opened, 8) << "in round " << round;
        EXPECT_EQ(Catalog(file_, clock_, probe_).list().size(), 8u);
    }
}

TEST_F(OpenTest, EmptyFileBecomesACatalog) {
    std::ofstream(file_).close();
    { const Catalog catalog(file_, clock_, probe_); }
    EXPECT_EQ(sql_integer("PRAGMA user_version"), kCatalogSchema);
    EXPECT_EQ(sql_integer("PRAGMA application_id"), internal::kApplicationId);
    const Catalog again(file_, clock_, probe_);
    EXPECT_THAT(again.check(), IsEmpty());
}

TEST_F(OpenTest, OlderSchemaIsBroughtUpToDateWithItsRows) {
    internal::create_file(file_);
    sql("CREATE TABLE t(a); INSERT INTO t VALUES(7); PRAGMA user_version = 1; PRAGMA "
        "application_id = " +
        std::to_string(internal::kApplicationId));
    const std::array migrations{"no SQL: version 1 must not run again",
                                "ALTER TABLE t ADD b DEFAULT 8;", "UPDATE t SET b = b + a;"};
    internal::Database database(file_);
    internal::open_schema(database, file_, migrations);
    EXPECT_EQ(database.integer("SELECT b FROM t"), 15);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 3);
    internal::open_schema(database, file_, migrations);
    EXPECT_EQ(database.integer("SELECT b FROM t"), 15) << "each runs once";
}

TEST_F(OpenTest, FailedMigrationLeavesTheOldSchema) {
    internal::create_file(file_);
    sql("CREATE TABLE t(a); PRAGMA user_version = 1; PRAGMA application_id = " +
        std::to_string(internal::kApplicationId));
    const std::array migrations{"", "ALTER TABLE t ADD b;", "this is not SQL;"};
    internal::Database database(file_);
    EXPECT_THROW(internal::open_schema(database, file_, migrations), bk::Error);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
    EXPECT_EQ(database.integer("SELECT count(*) FROM pragma_table_info('t')"), 1);
}

TEST_F(OpenTest, NewerSchemaIsRefusedAndNotTouched) {
    { const Catalog catalog(file_, clock_, probe_); }
    sql("PRAGMA user_version = 99");
    const bk::Error error = open_error();
    EXPECT_EQ(error.status(), BK_E_CONFIG);
    EXPECT_THAT(error.message(), HasSubstr("version 99"));
    EXPECT_THAT(error.message(), HasSubstr("up to " + std::to_string(kCatalogSchema)));
    EXPECT_THAT(error.hint(), HasSubstr("newer bkhost"));
    EXPECT_EQ(sql_integer("PRAGMA user_version"), 99);
}

TEST_F(OpenTest, DatabaseOfAnotherProgramIsRefused) {
    internal::create_file(file_);
    sql("CREATE TABLE customers(name)");
    const bk::Error error = open_error();
    EXPECT_EQ(error.status(), BK_E_CONFIG);
    EXPECT_THAT(error.message(), HasSubstr("not a bkhost catalog"));
    EXPECT_EQ(sql_integer("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(OpenTest, DamagedFileIsToldWithTheWayOut) {
    std::ofstream(file_) << std::string(8192, 'x');
    const bk::Error error = open_error();
    EXPECT_EQ(error.status(), BK_E_CORRUPT);
    EXPECT_THAT(error.message(), HasSubstr(file_.string()));
    EXPECT_THAT(error.hint(), HasSubstr("bkhost catalog rebuild"));

    const fs::path aside = Catalog::set_aside(file_, clock_);
    EXPECT_EQ(aside.string(), file_.string() + ".damaged-20260211T031500Z");
    EXPECT_EQ(fs::file_size(aside), 8192u);
    const Catalog fresh(file_, clock_, probe_);
    EXPECT_THAT(fresh.list(), IsEmpty());
    EXPECT_EQ(error_of([&] { (void)Catalog::set_aside(dir_.path / "none"); }).status(),
              BK_E_NOT_FOUND);
}

TEST_F(OpenTest, DamagedPagesAreToldByCheckAndByCalls) {
    {
        Catalog catalog(file_, clock_, probe_);
        for (int i = 0; i < 200; ++i)
            complete(catalog, id(i));
    }
    const auto size = fs::file_size(file_);
    std::fstream out(file_, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(4096L * 4); // the schema stays readable
    const std::string noise(size - 4096 * 4, '\x5a');
    out.write(noise.data(), static_cast<std::streamsize>(noise.size()));
    out.close();
    const Catalog catalog(file_, clock_, probe_);
    const std::vector<CatalogProblem> problems = catalog.check();
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems[0].hint, HasSubstr("bkhost catalog rebuild"));
    EXPECT_EQ(error_of([&] { (void)catalog.list(); }).status(), BK_E_CORRUPT);
}

TEST_F(OpenTest, CheckFindsImpossibleRows) {
    Catalog catalog(file_, clock_, probe_);
    complete(catalog, id(0));
    complete(catalog, id(1));
    (void)catalog.begin_backup(row(id(2)));
    EXPECT_THAT(catalog.check(), IsEmpty());
    sql("PRAGMA foreign_keys = OFF; UPDATE backups SET state = 'asleep' WHERE id = '" + id(0) +
        "'; DELETE FROM copies WHERE backup_id = '" + id(1) +
        "'; DELETE FROM leases; INSERT INTO copies SELECT '" + id(9) +
        "', storage, location, state, 0, '', 'none', 0, 'none', '' FROM copies");
    std::vector<std::string> found;
    for (const CatalogProblem& problem : catalog.check())
        found.push_back(problem.object + " " + problem.message);
    EXPECT_THAT(found, ::testing::UnorderedElementsAre(
                           "backup '" + id(0) + "' is in a state that does not exist: 'asleep'",
                           "copy of '" + id(9) + "' on 'here' belongs to no backup",
                           "backup '" + id(1) + "' is completed, but stored nowhere",
                           "backup '" + id(2) + "' is 'pending', but nobody holds a lease for it"));
    EXPECT_EQ(error_of([&] { (void)catalog.list(); }).status(), BK_E_CORRUPT);
}

TEST_F(OpenTest, UnreadableListIsDamage) {
    Catalog catalog(file_, clock_, probe_);
    complete(catalog, id(0));
    for (const char* text : {"", "[1]", "{}", "[\"x\""}) {
        sql(std::string("UPDATE backups SET warnings = '") + text + "'");
        EXPECT_EQ(error_of([&] { (void)catalog.backup(id(0)); }).status(), BK_E_CORRUPT) << text;
    }
}

TEST_F(OpenTest, UnwritableDirectoryIsDenied) {
    fs::permissions(dir_.path, fs::perms(0755));
    fs::create_directory(dir_.path / "locked");
    fs::permissions(dir_.path / "locked", fs::perms(0555));
    file_ = dir_.path / "locked" / "catalog.db";
    {
        const WithoutRoot user;
        const bk::Error error = open_error();
        EXPECT_EQ(error.status(), BK_E_DENIED);
        EXPECT_THAT(error.message(), HasSubstr(file_.string()));
        EXPECT_FALSE(error.hint().empty());
        file_ = dir_.path / "locked" / "deeper" / "catalog.db";
        EXPECT_EQ(open_error().status(), BK_E_DENIED);
    }
    std::ofstream(dir_.path / "file").close();
    file_ = dir_.path / "file" / "catalog.db";
    EXPECT_NE(open_error().status(), BK_OK) << "a file where a directory is wanted";
}

TEST_F(OpenTest, ReadOnlyFileIsDenied) {
    { const Catalog catalog(file_, clock_, probe_); }
    fs::permissions(dir_.path, fs::perms(0555));
    fs::permissions(file_, fs::perms(0444));
    const WithoutRoot user;
    EXPECT_EQ(open_error().status(), BK_E_DENIED);
}

TEST_F(OpenTest, FullDiskIsNoSpaceAndLosesNothing) {
    Catalog catalog(file_, clock_, probe_);
    complete(catalog, id(0));
    BackupRow large = row(id(1));
    large.notes = std::string(4'000'000, 'n');
    {
        const FileSizeLimit limit(1'000'000);
        const bk::Error error = error_of([&] { (void)catalog.begin_backup(large); });
        EXPECT_EQ(error.status(), BK_E_NO_SPACE);
        EXPECT_THAT(error.hint(), HasSubstr("free space"));
        EXPECT_EQ(catalog.list().size(), 1u) << "still readable";
        EXPECT_THAT(catalog.leases(), IsEmpty());
    }
    (void)catalog.begin_backup(large); // and works again
    EXPECT_EQ(catalog.list().size(), 2u);
    EXPECT_THAT(catalog.check(), IsEmpty());
}

TEST_F(OpenTest, FullDatabaseIsNoSpace) {
    internal::create_file(file_);
    internal::Database database(file_);
    internal::open_schema(database, file_);
    database.run("PRAGMA max_page_count = 30");
    EXPECT_EQ(error_of([&] {
                  database.run(
                      "INSERT INTO events VALUES(1, 1, '', '', '', hex(zeroblob(200000)))");
              }).status(),
              BK_E_NO_SPACE);
}

TEST_F(OpenTest, RolledBackUnlessCommitted) {
    Catalog catalog(file_, clock_, probe_);
    internal::Database database(file_);
    {
        const internal::Transaction transaction(database);
        database.run("INSERT INTO events VALUES(1, 1, 'x', '', '', '{}')");
    }
    EXPECT_THAT(catalog.events(), IsEmpty());
}

} // namespace bkhost
