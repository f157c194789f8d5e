// A script gives the same database again, through our own restore and through the sqlite3 library
// alone, and is never complete when it must not be.
#include "sql_literal.hpp"
#include "testbed.hpp"

#include <bit>
#include <cmath>
#include <random>

namespace {

using namespace testbed;

constexpr uint32_t kScript = 2;

class Sql : public testing::Test {
protected:
    bk::FakeConfig::Values values(const bk::FakeConfig::Values& more = {}) const {
        bk::FakeConfig::Values all = more;
        all["path"] = {source};
        all["format"] = {"sql"};
        return all;
    }
    void dump(bk::RecordingSink& sink, const bk::FakeConfig::Values& more = {},
              const char* request = "{}") {
        Dumper dumper(values(more));
        answer = dumper.begin(request);
        EXPECT_EQ(dumper.plan(), std::vector<uint32_t>{kScript});
        dumper.dump(kScript, sink);
        dumper.end();
    }
    /// Both ways back must give the content of the source.
    void expect_round_trip() {
        bk::RecordingSink sink(1 << 14);
        dump(sink);
        const std::string expected = content_of(source);
        fs::remove(restored);
        Dumper loader(restored);
        load_all(loader, load_request(answer), sink);
        EXPECT_EQ(content_of(restored), expected);
        {
            Db plain(by_hand);
            plain.exec(sink.bytes());
        }
        EXPECT_EQ(content_of(by_hand), expected);
        fs::remove(by_hand);
    }

    TempDirectory directory;
    std::string source = directory.file("a.db"), restored = directory.file("restored.db"),
                by_hand = directory.file("by_hand.db");
    std::string answer;
    Db db{source};
};

constexpr const char* kNasty = R"sql(
CREATE TABLE "we'ird ""name""
two lines"("a b" INTEGER, "se""lect" TEXT, g AS ("a b"+1), s TEXT GENERATED ALWAYS AS ('x'||"a b") STORED, z);
INSERT INTO "we'ird ""name""
two lines"("a b","se""lect",z) VALUES(1,'it''s',NULL),(2,'two
lines; -- no comment',x''),(3,CAST(x'610062' AS TEXT),x'00ff27'),(4,'',''),(NULL,'ü€😀',0);
CREATE TABLE numbers(n); INSERT INTO numbers VALUES(0.1),(1e308),(-0.0),(1e999),(-1e999),(5e-324),
 (2.2250738585072014e-308),(1.7976931348623157e308),(3.0),(1e22),(123456789012345680.0),(0.30000000000000004),
 (9223372036854775807),(-9223372036854775808),(9007199254740993),(-1.5),(1e15),(1e16),(9.999999999999999e22);
CREATE TABLE reals(r REAL); INSERT INTO reals VALUES(1),(-0.0),(2.5),(1e300);
CREATE TABLE w(k TEXT, n INT, v BLOB, PRIMARY KEY(k, n DESC)) WITHOUT ROWID;
INSERT INTO w VALUES('b',1,x'01'),('a',2,NULL),('a',1,'text');
CREATE TABLE auto(id INTEGER PRIMARY KEY AUTOINCREMENT, v UNIQUE); INSERT INTO auto VALUES(5,'x'),(900,'y');
DELETE FROM auto WHERE id=900;
CREATE TABLE parent(id INTEGER PRIMARY KEY); CREATE TABLE child(p REFERENCES parent(id));
INSERT INTO child VALUES(42);
CREATE TABLE strict_one(i INT, t TEXT, a ANY) STRICT; INSERT INTO strict_one VALUES(1,'2','3'),(1,'2',3.5);
CREATE TABLE log(what);
CREATE TRIGGER tr AFTER INSERT ON numbers BEGIN INSERT INTO log VALUES(new.n); END;
CREATE VIEW second AS SELECT * FROM first_ /* not made yet */; CREATE VIEW first_ AS SELECT n FROM numbers;
CREATE TRIGGER iv INSTEAD OF INSERT ON first_ BEGIN INSERT INTO numbers VALUES(new.n); END;
CREATE INDEX "i x" ON numbers(n) WHERE n > 0; CREATE UNIQUE INDEX u ON w(v) ;
CREATE VIRTUAL TABLE docs USING fts5(title, body); INSERT INTO docs VALUES('one','some words'),('two','others');
CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1); INSERT INTO boxes VALUES(1, 0.5, 2.5);
CREATE TABLE empty(x DEFAULT ';' -- comment
);
ANALYZE;
)sql";

TEST_F(Sql, NastyDataComeBack) {
    db.exec(kNasty);
    expect_round_trip();
    Db back(restored);
    EXPECT_EQ(back.value("SELECT count(*) FROM docs WHERE docs MATCH 'words'"), "1");
    EXPECT_EQ(back.value("SELECT id FROM boxes WHERE x1 > 1"), "1");
    back.exec("INSERT INTO auto(v) VALUES('next'); INSERT INTO first_ VALUES(77)");
    EXPECT_EQ(back.value("SELECT max(id) FROM auto"), "901");
    EXPECT_EQ(back.value("SELECT what FROM log"), "77");
    EXPECT_EQ(back.value("PRAGMA integrity_check"), "ok");
}

class SqlEncodings : public Sql, public testing::WithParamInterface<const char*> {};

TEST_P(SqlEncodings, HeaderFieldsComeBack) {
    db.exec(std::string("PRAGMA page_size=8192; PRAGMA auto_vacuum=2; PRAGMA encoding='") +
            GetParam() + "'; PRAGMA user_version=-3; PRAGMA application_id=305419896;");
    db.exec(kNasty);
    expect_round_trip();
    Db back(restored);
    for (const char* pragma :
         {"page_size", "auto_vacuum", "encoding", "user_version", "application_id"})
        EXPECT_EQ(back.value(std::string("PRAGMA ") + pragma),
                  db.value(std::string("PRAGMA ") + pragma));
}

INSTANTIATE_TEST_SUITE_P(All, SqlEncodings, testing::Values("UTF-8", "UTF-16le", "UTF-16be"));

TEST_F(Sql, ScriptEndsInCommit) {
    db.exec("CREATE TABLE t(x)");
    bk::RecordingSink sink;
    dump(sink);
    EXPECT_TRUE(sink.bytes().ends_with("COMMIT;\n"));
    EXPECT_THAT(answer, testing::HasSubstr(R"("extension":"sql")"));
    for (const auto& section : sink.sections())
        EXPECT_EQ(section.uncut(), "");
}

TEST_F(Sql, FragmentsAreWholeStatementsWithRowsAndDigests) {
    db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, b);"
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<3000) "
            "INSERT INTO t(b) SELECT randomblob(100) FROM n");
    bk::RecordingSink sink(1 << 16);
    dump(sink);
    const auto& table = [&]() -> const bk::RecordingSink::Section& {
        for (const auto& section : sink.sections())
            if (section.phase == BK_PHASE_DATA) return section;
        throw std::runtime_error("no data");
    }();
    EXPECT_GT(table.fragments.size(), 5U);
    EXPECT_EQ(table.rows(), 3000U);
    for (const auto& fragment : table.fragments) {
        EXPECT_TRUE(fragment.bytes.starts_with("INSERT INTO \"t\""));
        EXPECT_TRUE(fragment.bytes.ends_with(");\n"));
        Db alone(":memory:"); // each stands alone
        alone.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, b);" + fragment.bytes);
        EXPECT_EQ(alone.value("SELECT count(*) FROM t"), std::to_string(fragment.rows));
    }
    Dumper image(source);
    image.begin();
    bk::RecordingSink proof;
    image.dump(1, proof);
    image.end();
    EXPECT_EQ(table.digest(), proof.proofs().at(0).digest) << "both formats prove the same rows";
}

TEST_F(Sql, LargeValuesAreCutNowhereAndHeldNowhere) {
    db.exec("CREATE TABLE t(a, b); INSERT INTO t VALUES(zeroblob(3000000), 'x'),"
            "(replace(hex(zeroblob(1500000)),'0',''''), 'y')");
    bk::RecordingSink sink(1 << 16);
    dump(sink);
    EXPECT_GT(sink.writes(), 40U);
    expect_round_trip();
}

TEST_F(Sql, RowidsAreKeptOnRequest) {
    db.exec("CREATE TABLE t(rowid TEXT, v); INSERT INTO t(_rowid_, rowid, v) "
            "VALUES(7,'a',1),(70,'b',2);"
            "CREATE TABLE k(id INTEGER PRIMARY KEY); INSERT INTO k VALUES(3);"
            "CREATE TABLE d(id TEXT PRIMARY KEY, v); INSERT INTO d(oid,id,v) VALUES(9,'z',1)");
    for (const bool keep : {true, false}) {
        bk::RecordingSink sink;
        dump(sink, {{"preserve-rowids", {keep ? "true" : "false"}}});
        Db back(directory.file(keep ? "keep" : "lose"));
        back.exec(sink.bytes());
        EXPECT_EQ(back.rows("SELECT _rowid_ FROM t"), keep ? "7|\n70|\n" : "1|\n2|\n");
        EXPECT_EQ(back.rows("SELECT rowid FROM d"), keep ? "9|\n" : "1|\n");
        EXPECT_EQ(back.content(), db.content());
    }
}

TEST_F(Sql, OneStateInWalMode) {
    db.exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1)");
    Dumper dumper(values());
    dumper.begin();
    db.exec("INSERT INTO t VALUES(2); CREATE TABLE later(x)");
    bk::RecordingSink sink;
    dumper.dump(kScript, sink);
    dumper.end();
    EXPECT_THAT(sink.bytes(), testing::HasSubstr("(1);"));
    EXPECT_THAT(sink.bytes(), testing::Not(testing::HasSubstr("later")));
    EXPECT_THAT(sink.bytes(), testing::Not(testing::HasSubstr("(2)")));
}

TEST_F(Sql, ChosenTablesColumnsAndRows) {
    db.exec("CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, email);"
            "INSERT INTO users(email) VALUES('a@x'),('b@x'),(NULL);"
            "CREATE INDEX ie ON users(email); CREATE TABLE other(x); CREATE INDEX io ON other(x);"
            "CREATE VIRTUAL TABLE f USING fts5(t); INSERT INTO f VALUES('w');"
            "CREATE VIEW v AS SELECT 1");
    bk::RecordingSink sink;
    dump(sink, {},
         R"({"include":["users","f"],"tables":{"users":{"columns":{"email":"'masked'||id"},)"
         R"("where":"email IS NOT NULL"}}})");
    Db back(by_hand);
    back.exec(sink.bytes());
    EXPECT_EQ(back.rows("SELECT id,email FROM users"), "1|masked1|\n2|masked2|\n");
    EXPECT_EQ(back.value("SELECT count(*) FROM sqlite_schema WHERE name IN ('other','io','v')"),
              "0");
    EXPECT_EQ(Db(by_hand).value("SELECT count(*) FROM f WHERE f MATCH 'w'"), "1");

    bk::RecordingSink schema, data, without;
    dump(schema, {}, R"({"what":"schema"})");
    EXPECT_THAT(schema.bytes(), testing::Not(testing::HasSubstr("a@x")));
    EXPECT_THAT(schema.bytes(), testing::HasSubstr("CREATE INDEX ie"));
    dump(data, {}, R"({"what":"data","include":["users"]})");
    EXPECT_THAT(data.bytes(), testing::Not(testing::HasSubstr("CREATE")));
    EXPECT_THAT(data.bytes(), testing::HasSubstr("a@x"));
    dump(without, {}, R"({"exclude":["f","users"]})");
    EXPECT_THAT(without.bytes(), testing::Not(testing::HasSubstr("users")));
    EXPECT_THAT(without.bytes(), testing::Not(testing::HasSubstr("f_data")));

    for (const char* request : {R"({"include":["nope"]})", R"({"exclude":["nope"]})",
                                R"({"tables":{"users":{"columns":{"nope":"1"}}}})"}) {
        Dumper dumper(values());
        EXPECT_EQ(failure([&] { dumper.begin(request); }), BK_E_NOT_FOUND) << request;
    }
    Dumper dumper(values());
    dumper.begin(R"j({"tables":{"users":{"columns":{"email":"nope(id)"}}}})j");
    bk::RecordingSink wrong;
    EXPECT_EQ(failure([&] { dumper.dump(kScript, wrong); }), BK_E_INVALID);
}

TEST_F(Sql, CorruptDatabaseNeverEndsInCommit) {
    db.exec("PRAGMA page_size=1024; CREATE TABLE t(id INTEGER PRIMARY KEY, b);"
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<500) "
            "INSERT INTO t(b) SELECT randomblob(200) FROM n");
    {
        std::fstream file(source, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(1024 * 50);
        file << std::string(1024, '\xee');
    }
    Dumper dumper(values());
    dumper.begin();
    bk::RecordingSink sink;
    EXPECT_EQ(failure([&] { dumper.dump(kScript, sink); }), BK_E_CORRUPT);
    EXPECT_THAT(sink.bytes(), testing::Not(testing::HasSubstr("COMMIT")));
}

TEST_F(Sql, FailingSinkAndCancel) {
    db.exec(
        "CREATE TABLE t(b); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE "
        "i<5000) INSERT INTO t SELECT randomblob(100) FROM n");
    for (const uint64_t n : {1, 3, 9}) {
        Dumper dumper(values());
        dumper.begin();
        bk::RecordingSink sink(1 << 16);
        sink.fail_at_write(n, BK_E_TIMEOUT);
        EXPECT_EQ(failure([&] { dumper.dump(kScript, sink); }), BK_E_TIMEOUT);
        EXPECT_EQ(sink.calls_after_failure(), 0U);
        dumper.end(false);
    }
    Dumper dumper(values());
    dumper.begin();
    bk::RecordingSink sink;
    dumper.host.cancel_at_poll(4);
    EXPECT_EQ(failure([&] { dumper.dump(kScript, sink); }), BK_E_CANCELLED);
}

class SqlLoad : public testing::Test {
protected:
    bk_status load(const std::string& script) {
        fs::remove(target);
        Dumper dumper(target);
        void* session = dumper.load_begin(R"({"format":"sql","layout":{"format":"sql"}})");
        bk::RecordingSink::Section section{};
        const bk_status status = failure(
            [&] {
                bk::MemorySource source(script, 7);
                dumper.load(session, section, 0, source);
            },
            &message);
        const bk_status end = failure([&] { dumper.load_end(session, status == BK_OK); }, &message);
        return status != BK_OK ? status : end;
    }
    TempDirectory directory;
    std::string target = directory.file("t.db"), message;
};

TEST_F(SqlLoad, IncompleteScriptsLeaveNothing) {
    EXPECT_EQ(load("BEGIN; CREATE TABLE t(x);"), BK_E_CORRUPT);
    EXPECT_THAT(message, testing::HasSubstr("COMMIT"));
    EXPECT_EQ(load("BEGIN; CREATE TABLE t(x); COMMIT; CREATE TABLE u(x);"), BK_E_CORRUPT);
    EXPECT_EQ(load("BEGIN; CREATE TABLE t(x); ROLLBACK;"), BK_E_CORRUPT)
        << "what the sqlite3 shell writes for a corrupt database";
    EXPECT_EQ(load(""), BK_E_CORRUPT);
    EXPECT_TRUE(directory.names().empty());
    EXPECT_EQ(load("BEGIN; CREATE TABLE t(x); COMMIT; -- end"), BK_OK) << message;
}

TEST_F(SqlLoad, ErrorsAndNulBytesAreNotSkipped) {
    EXPECT_EQ(load("BEGIN; CREATE TABLE t(x); INSERT INTO nope VALUES(1); COMMIT;"), BK_E_INVALID);
    EXPECT_THAT(message, testing::HasSubstr("nope"));
    using namespace std::string_literals;
    EXPECT_EQ(load("BEGIN; CREATE TABLE t(x);\0 DROP TABLE t; COMMIT;"s), BK_E_CORRUPT);
    EXPECT_TRUE(directory.names().empty());
}

TEST_F(SqlLoad, OtherFilesAreOutOfReach) {
    const std::string other = directory.file("other.db");
    EXPECT_EQ(load("ATTACH '" + other + "' AS o; BEGIN; COMMIT;"), BK_E_DENIED);
    EXPECT_EQ(load("VACUUM INTO '" + other + "'; BEGIN; COMMIT;"), BK_E_DENIED);
    EXPECT_FALSE(fs::exists(other));
}

TEST(Literals, RealsAreExact) {
    bk::FakeHost host;
    const sqlite_driver::Cancel cancel(host.host());
    const TempDirectory directory;
    Db(directory.file("a.db")).exec("CREATE TABLE t(x)");
    sqlite_driver::Connection connection(directory.file("a.db"), sqlite_driver::Access::read,
                                         std::chrono::seconds(1), cancel);
    sqlite_driver::LiteralWriter literals(connection, [] {});
    std::mt19937_64 random(20260211);
    int exact_forms = 0;
    for (int i = 0; i < 20'000; ++i) {
        const double value = std::bit_cast<double>(random());
        if (std::isnan(value) || std::isinf(value)) continue;
        std::string text;
        literals.append_real(text, value);
        exact_forms += text[0] == '(' ? 1 : 0;
        for (const std::string& form : {text, sqlite_driver::exact_real(value)}) {
            sqlite_driver::Statement statement = connection.prepare("SELECT " + form);
            ASSERT_TRUE(statement.step());
            ASSERT_EQ(std::bit_cast<uint64_t>(sqlite3_column_double(statement.get(), 0)),
                      std::bit_cast<uint64_t>(value))
                << form;
        }
    }
    RecordProperty("exact_forms", exact_forms);
}

} // namespace
