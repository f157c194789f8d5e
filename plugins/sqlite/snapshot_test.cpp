// Commits that fall exactly between the steps in which the state is taken: it is taken again, until
// the image and the rows are of one state.
#include "page_image.hpp"
#include "testbed.hpp"

namespace {

using namespace testbed;

/// Makes one commit at the n-th, n+1-th ... BEGIN of any connection, before its read lock is taken.
class CommitAtBegin {
public:
    CommitAtBegin(Db& writer, int first, int count)
        : writer_(writer), first_(first), last_(first + count - 1) {
        active = this;
        sqlite3_auto_extension(reinterpret_cast<void (*)()>(&CommitAtBegin::watch));
    }
    ~CommitAtBegin() {
        sqlite3_reset_auto_extension();
        active = nullptr;
    }
    CommitAtBegin(const CommitAtBegin&) = delete;
    CommitAtBegin& operator=(const CommitAtBegin&) = delete;
    [[nodiscard]] int begins() const noexcept { return begins_; }

private:
    static int watch(sqlite3* db, char**, const sqlite3_api_routines*) {
        return sqlite3_trace_v2(db, SQLITE_TRACE_STMT, on_statement, nullptr);
    }
    static int on_statement(unsigned, void*, void*, void* sql) {
        if (active == nullptr || std::string_view(static_cast<const char*>(sql)) != "BEGIN")
            return 0;
        const int number = ++active->begins_;
        if (number >= active->first_ && number <= active->last_)
            active->writer_.exec("UPDATE a SET n=n+1");
        return 0;
    }
    static inline CommitAtBegin* active = nullptr;
    Db& writer_;
    int first_, last_, begins_ = 0;
};

class SnapshotRace : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(SnapshotRace, IsTakenAgain) {
    const TempDirectory directory;
    const std::string path = directory.file("a.db");
    Db writer(path);
    writer.exec("PRAGMA journal_mode=WAL; CREATE TABLE a(n); INSERT INTO a VALUES(0)");
    bk::FakeHost host;
    const sqlite_driver::Cancel cancel(host.host());

    const auto [first, count] = GetParam();
    CommitAtBegin commits(writer, first, count);
    sqlite_driver::Snapshot snapshot(path, {}, cancel);
    EXPECT_GT(commits.begins(), 2) << "the race was not met";
    std::vector<uint8_t> image(size_t{snapshot.pages()} * snapshot.page_size());
    sqlite_driver::PageReader(snapshot, cancel).read(1, image);
    snapshot.verify();

    const std::string copy = directory.file("copy.db");
    write_file(copy, std::string(image.begin(), image.end()));
    EXPECT_EQ(Db(copy).value("SELECT n FROM a"), std::to_string(count));
    EXPECT_EQ(snapshot.rows().text("SELECT n FROM a"), std::to_string(count));
    EXPECT_EQ(snapshot.files().text("SELECT n FROM a"), std::to_string(count));
}

// Each try has two BEGINs: a commit before the first, between the two, and during several tries.
INSTANTIATE_TEST_SUITE_P(All, SnapshotRace,
                         testing::Values(std::pair{1, 1}, std::pair{2, 1}, std::pair{1, 9}));

TEST(Snapshot, GivesUpWhenEveryTryIsOvertaken) {
    const TempDirectory directory;
    const std::string path = directory.file("a.db");
    Db writer(path);
    writer.exec("PRAGMA journal_mode=WAL; CREATE TABLE a(n); INSERT INTO a VALUES(0)");
    bk::FakeHost host;
    const sqlite_driver::Cancel cancel(host.host());
    const CommitAtBegin commits(writer, 1, 1'000'000);
    const sqlite_driver::SnapshotOptions options{.patience = std::chrono::milliseconds(20)};
    EXPECT_EQ(failure([&] { sqlite_driver::Snapshot(path, options, cancel); }), BK_E_BUSY);
}

} // namespace
