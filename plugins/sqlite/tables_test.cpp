// Single tables out of both formats: the same rows and definitions, into a new file or one that is
// there, whose other tables stay; and all of it or nothing.
#include "database.hpp"
#include "testbed.hpp"

#include <bkhost/testing/memory_random_source.hpp>

namespace {

using namespace testbed;

constexpr const char* kShop = R"sql(
PRAGMA page_size=1024; PRAGMA user_version=7; PRAGMA application_id=99;
CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT, mail TEXT UNIQUE ON CONFLICT IGNORE, g AS (id*2) STORED, v AS (mail||'!'));
INSERT INTO users(id,mail) VALUES(5,'a'),(9,'b'),(700,'c'); DELETE FROM users WHERE id=700;
CREATE INDEX by_mail ON users(mail DESC) WHERE mail IS NOT NULL;
CREATE TABLE orders(id INTEGER PRIMARY KEY, user INT REFERENCES users(id), total REAL CHECK(total>=0), body);
INSERT INTO orders SELECT value, 5, value*1.5, x'00ff' FROM generate(1,400);
INSERT INTO orders VALUES(1000,9,NULL,CAST(x'610062' AS TEXT)),(1001,NULL,1,'ünï');
CREATE TABLE log(what); CREATE TABLE audit(what);
CREATE TRIGGER t_log AFTER INSERT ON orders BEGIN INSERT INTO log VALUES(new.id); END;
CREATE TRIGGER t_audit AFTER UPDATE OF total ON orders BEGIN INSERT INTO audit VALUES(old.id); END;
CREATE TRIGGER t_self AFTER DELETE ON orders BEGIN UPDATE orders SET total=0 WHERE id=old.id; END;
CREATE VIEW rich AS SELECT user, sum(total) AS total FROM orders GROUP BY user;
CREATE VIEW richer AS SELECT * FROM rich JOIN users ON users.id=rich.user;
CREATE TRIGGER t_rich INSTEAD OF INSERT ON rich BEGIN INSERT INTO log VALUES(new.user); END;
CREATE TABLE w(k TEXT, n INT, PRIMARY KEY(k, n DESC)) WITHOUT ROWID; INSERT INTO w VALUES('b',1),('a',2);
CREATE TABLE hidden(a); INSERT INTO hidden(rowid,a) VALUES(3,'x'),(90,'y');
CREATE TABLE "odd ""one"", two"("a b" INTEGER, "ünï" TEXT); INSERT INTO "odd ""one"", two" VALUES(1,'x');
CREATE INDEX "odd i" ON "odd ""one"", two"("a b");
CREATE TABLE typed(i INT, t TEXT, a ANY) STRICT; INSERT INTO typed VALUES(1,'2','3'),(1,'2',3.5);
CREATE VIRTUAL TABLE docs USING fts5(title, body); INSERT INTO docs VALUES('one','some words'),('two','others');
CREATE TABLE other(x); INSERT INTO other SELECT hex(randomblob(500)) FROM generate(1,2000);
)sql";

/// Names as they stand in a request.
std::string include(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "\"" : ",\"");
        for (const char c : name)
            list += c == '"' ? std::string("\\\"") : std::string(1, c);
        list += '"';
    }
    return R"("include":[)" + list + "],";
}

class Tables : public testing::TestWithParam<std::string> {
protected:
    Tables() {
        std::string script = kShop;
        for (size_t at; (at = script.find("generate(1,")) != std::string::npos;) {
            const size_t end = script.find(')', at);
            const std::string count = script.substr(at + 11, end - at - 11);
            script.replace(at, end + 1 - at,
                           "(WITH RECURSIVE n(value) AS (VALUES(1) UNION ALL SELECT value+1 FROM n "
                           "WHERE value<" +
                               count + ") SELECT value FROM n)");
        }
        db.exec(script);
    }
    /// A dump of the source in the format of the test.
    void dump(const bk::FakeConfig::Values& more = {}) {
        bk::FakeConfig::Values values = more;
        values["path"] = {source};
        values["format"] = {GetParam()};
        values["preserve-rowids"] = {"true"};
        Dumper dumper(values);
        answer = dumper.begin();
        dumper.dump(GetParam() == "sql" ? 2 : 0, sink);
        dumper.end();
    }
    /// As the host restores: sections by name and what they depend on, or by the extension.
    bk_status restore(const std::vector<std::string>& names, const std::string& mode = "refuse") {
        if (answer.empty()) dump();
        std::string request = load_request(answer, mode);
        request.insert(1, include(names));
        Dumper dumper({{"path", {target}}, {"busy-timeout", {"1ms"}}});
        const bk_status status = failure(
            [&] {
                if (GetParam() == "sql") return load(dumper, request, names);
                pages = std::make_unique<bk::MemoryRandomSource>(sink.sections().at(0).bytes);
                if (fail_at > 0) pages->fail_at_read(fail_at);
                reports = extract(dumper, request, *pages);
            },
            &message);
        warnings.clear();
        for (const auto& warning : dumper.host.warnings())
            warnings.push_back(warning.object + ": " + warning.text);
        return status;
    }
    void load(Dumper& dumper, const std::string& request, const std::vector<std::string>& names) {
        std::set<std::string> wanted(names.begin(), names.end());
        bk::RecordingSink chosen;
        for (const auto& section : sink.sections())
            if (section.kind == "virtual table" && wanted.contains(section.name))
                for (const char* part : {"config", "content", "data", "docsize", "idx"})
                    wanted.insert(section.name + "_" + part);
        void* session = dumper.load_begin(request);
        try {
            for (const auto& section : sink.sections()) {
                const bool session_state =
                    section.phase == BK_PHASE_PROLOGUE || section.phase == BK_PHASE_EPILOGUE;
                const bool belongs = section.phase == BK_PHASE_POST
                                         ? wanted_post(wanted, section.depends)
                                         : wanted.contains(section.name);
                if (!session_state && !belongs) continue;
                bk::MemorySource bytes(section.bytes, 1000);
                if (fail_at > 0 && section.phase == BK_PHASE_DATA) bytes.fail_at(100);
                dumper.load(session, section, 0, bytes);
            }
        } catch (const bk::Error&) {
            dumper.load_end(session, false);
            throw;
        }
        dumper.load_end(session, true);
    }
    /// The only odd name stands quoted.
    static bool wanted_post(const std::set<std::string>& wanted, const std::string& depends) {
        if (depends == R"("odd ""one"", two")") return wanted.contains(R"(odd "one", two)");
        return wanted.contains(depends);
    }
    static std::vector<std::string> extract(Dumper& dumper, const std::string& request,
                                            const bk::MemoryRandomSource& image) {
        const auto& table = *static_cast<const bk_dumper_extract*>(
            bk::linked_driver("sqlite").get_extension(BK_DUMPER_EXTRACT_ID));
        bk::Texts texts;
        bk_error error = bk::empty_error();
        const bk_status status = table.extract(dumper.self(), request.c_str(), image.get(),
                                               bk::Texts::take, &texts, &error);
        if (status != BK_OK) bk::throw_error(status, error);
        return texts.all;
    }
    static std::string definitions(Db& of, const std::string& table) {
        return of.rows("SELECT type,name,sql FROM sqlite_schema WHERE tbl_name='" + table +
                       "' ORDER BY type,name");
    }
    void expect_same(const std::string& table, const std::string& columns) {
        Db back(target);
        const std::string query =
            "SELECT " + columns + " FROM " + sqlite_driver::quote_name(table) + " ORDER BY 1,2";
        EXPECT_EQ(back.rows(query), db.rows(query)) << table;
        EXPECT_EQ(definitions(back, table), definitions(db, table)) << table;
        EXPECT_EQ(back.value("PRAGMA integrity_check"), "ok");
    }
    std::vector<std::string> left() {
        std::vector<std::string> all;
        for (const std::string& name : directory.names())
            if (name.find("target.db") != std::string::npos) all.push_back(name);
        return all;
    }
    std::string tables_of_target() {
        return Db(target).rows("SELECT name FROM sqlite_schema WHERE type IN('table','view') AND "
                               "name NOT LIKE 'sqlite%' ORDER BY 1");
    }

    TempDirectory directory;
    std::string source = directory.file("source.db"), target = directory.file("target.db");
    Db db{source};
    bk::RecordingSink sink{1 << 14};
    std::string answer, message;
    std::unique_ptr<bk::MemoryRandomSource> pages;
    std::vector<std::string> reports, warnings;
    uint64_t fail_at = 0;
};
INSTANTIATE_TEST_SUITE_P(Format, Tables, testing::Values("image", "sql"),
                         [](const auto& test) { return test.param; });

TEST_P(Tables, ComeIntoANewFile) {
    ASSERT_EQ(restore({"users", "w", "hidden", "typed", "odd \"one\", two", "docs"}), BK_OK)
        << message;
    expect_same("users", "quote(id),quote(mail),quote(g),quote(v)");
    expect_same("w", "quote(k),quote(n)");
    expect_same("hidden", "rowid,quote(a)");
    expect_same("typed", "quote(a),quote(i)");
    expect_same("odd \"one\", two", "*");
    Db back(target);
    for (const char* pragma : {"page_size", "encoding", "user_version", "application_id"})
        EXPECT_EQ(back.value(std::string("PRAGMA ") + pragma),
                  db.value(std::string("PRAGMA ") + pragma));
    EXPECT_EQ(back.value("SELECT count(*) FROM docs WHERE docs MATCH 'words'"), "1");
    EXPECT_EQ(back.rows("SELECT name,seq FROM sqlite_sequence"), "users|700|\n");
    EXPECT_EQ(tables_of_target(),
              "docs|\ndocs_config|\ndocs_content|\ndocs_data|\ndocs_docsize|\ndocs_idx|\nhidden|\n"
              "odd \"one\", two|\ntyped|\nusers|\nw|\n");
    EXPECT_THAT(warnings, testing::IsEmpty());
    EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
    if (GetParam() == "image") {
        EXPECT_THAT(reports, testing::Contains(R"({"rows":2,"table":"users"})"));
    }
}

TEST_P(Tables, WhatNeedsAnAbsentTableIsLeftOutAndTold) {
    ASSERT_EQ(restore({"orders", "rich", "richer"}), BK_OK) << message;
    EXPECT_THAT(warnings,
                testing::UnorderedElementsAre(
                    "view 'richer': left out: it needs table 'users', which is not there",
                    "trigger 't_log': left out: it needs table 'log', which is not there",
                    "trigger 't_audit': left out: it needs table 'audit', which is not there",
                    "trigger 't_rich': left out: it needs table 'log', which is not there",
                    "table 'orders': refers to table 'users', which is not there"));
    Db back(target);
    EXPECT_EQ(back.rows("SELECT name FROM sqlite_schema WHERE type='trigger'"), "t_self|\n");
    EXPECT_EQ(back.rows("SELECT quote(user),quote(total) FROM rich"),
              db.rows("SELECT quote(user),quote(total) FROM rich"));
    EXPECT_EQ(back.rows("SELECT id,user,quote(total),quote(body) FROM orders"),
              db.rows("SELECT id,user,quote(total),quote(body) FROM orders"));
    EXPECT_EQ(back.attempt("INSERT INTO orders VALUES(5000,1,1,1)"), SQLITE_OK);
}

TEST_P(Tables, WithWhatTheyNeedTriggersComeAndHaveNotFired) {
    ASSERT_EQ(restore({"orders", "users", "log", "audit", "rich", "richer"}), BK_OK) << message;
    EXPECT_THAT(warnings, testing::IsEmpty());
    for (const char* table : {"orders", "rich"})
        EXPECT_EQ(definitions(db, table), [&] {
            Db back(target);
            return definitions(back, table);
        }());
    EXPECT_EQ(Db(target).value("SELECT count(*) FROM log"), "0");
}

TEST_P(Tables, ComeIntoADatabaseThatIsThere) {
    Db mine(target);
    for (const char* mode : {"delete", "wal"}) {
        mine.exec(std::string("PRAGMA journal_mode=") + mode);
        mine.exec("PRAGMA user_version=3; DROP TABLE IF EXISTS mine; DROP TABLE IF EXISTS users;"
                  "DROP TABLE IF EXISTS docs; DROP TABLE IF EXISTS log;"
                  "CREATE TABLE mine(id INTEGER PRIMARY KEY AUTOINCREMENT, x);"
                  "INSERT INTO mine(x) VALUES(1),(2); CREATE TABLE log(what);");
        ASSERT_EQ(restore({"users", "docs"}), BK_OK) << message;
        expect_same("users", "quote(id),quote(mail),quote(g),quote(v)");
        EXPECT_EQ(mine.rows("SELECT id,x FROM mine"), "1|1|\n2|2|\n") << "by the open connection";
        EXPECT_EQ(mine.value("SELECT count(*) FROM docs WHERE docs MATCH 'words'"), "1");
        EXPECT_EQ(mine.rows("SELECT name,seq FROM sqlite_sequence ORDER BY 1"),
                  "mine|2|\nusers|700|\n");
        EXPECT_EQ(mine.value("PRAGMA user_version"), "3");
        EXPECT_EQ(mine.value("PRAGMA journal_mode"), mode);
    }
    ASSERT_EQ(restore({"orders"}), BK_OK) << message;
    EXPECT_EQ(mine.rows("SELECT name FROM sqlite_schema WHERE type='trigger' ORDER BY 1"),
              "t_log|\nt_self|\n")
        << "the target has 'log' and no 'audit'";
}

TEST_P(Tables, OfADatabaseInAnotherEncoding) {
    Db(target).exec(
        "PRAGMA encoding='UTF-16be'; CREATE TABLE mine(x); INSERT INTO mine VALUES('ü')");
    ASSERT_EQ(restore({"orders", "odd \"one\", two"}), BK_OK) << message;
    Db back(target);
    EXPECT_EQ(back.rows("SELECT id,quote(body) FROM orders"),
              db.rows("SELECT id,quote(body) FROM orders"));
    EXPECT_EQ(back.value("PRAGMA integrity_check"), "ok");
}

TEST_P(Tables, ExistingOnesAreRefusedBeforeAnythingIsRead) {
    Db(target).exec("CREATE TABLE Users(mine); INSERT INTO Users VALUES(1)");
    const std::string before = read_file(target);
    EXPECT_EQ(restore({"hidden", "users"}), BK_E_EXISTS);
    EXPECT_THAT(message, testing::HasSubstr("has a table 'users'"));
    EXPECT_THAT(message, testing::HasSubstr("--replace"));
    EXPECT_EQ(read_file(target), before);
    if (pages) {
        EXPECT_EQ(pages->reads(), 0u);
    }
    EXPECT_EQ(restore({"hidden"}), BK_OK) << message;
    EXPECT_EQ(tables_of_target(), "Users|\nhidden|\n");
}

TEST_P(Tables, ReplaceTakesThePlaceOfTheseAlone) {
    Db mine(target);
    mine.exec("CREATE TABLE users(mine); INSERT INTO users VALUES(1); CREATE INDEX mine_i ON "
              "users(mine); CREATE TABLE other(mine); INSERT INTO other VALUES(7);"
              "CREATE VIEW hidden AS SELECT 1; CREATE VIRTUAL TABLE docs USING fts5(x);"
              "INSERT INTO docs VALUES('mine')");
    ASSERT_EQ(restore({"users", "hidden", "docs"}, "replace"), BK_OK) << message;
    expect_same("users", "quote(id),quote(mail),quote(g),quote(v)");
    expect_same("hidden", "rowid,quote(a)");
    EXPECT_EQ(mine.value("SELECT mine FROM other"), "7");
    EXPECT_EQ(mine.value("SELECT count(*) FROM docs WHERE docs MATCH 'words'"), "1");
    EXPECT_EQ(mine.value("SELECT count(*) FROM docs WHERE docs MATCH 'mine'"), "0");
}

TEST_P(Tables, AFailureLeavesTheTargetAsItWas) {
    Db mine(target);
    mine.exec("CREATE TABLE users(mine); INSERT INTO users VALUES(1)");
    const std::string before = read_file(target);
    for (fail_at = 1; fail_at < 60; fail_at += 7) {
        EXPECT_EQ(restore({"users", "other"}, "replace"), BK_E_UNAVAILABLE);
        EXPECT_THAT(message, testing::HasSubstr("the source failed, as the test wanted"));
        EXPECT_EQ(read_file(target), before);
    }
    fail_at = 0;
    mine.exec("CREATE TABLE x(a); CREATE INDEX by_mail ON x(a)"); // the name is taken
    const std::string content = mine.content();
    EXPECT_NE(restore({"users"}, "replace"), BK_OK);
    EXPECT_THAT(message, testing::HasSubstr("by_mail"));
    EXPECT_EQ(mine.content(), content);
    EXPECT_EQ(left(), std::vector<std::string>{"target.db"});
}

TEST_P(Tables, ATargetInUseIsBusy) {
    Db mine(target);
    mine.exec("CREATE TABLE mine(x); BEGIN IMMEDIATE; INSERT INTO mine VALUES(1)");
    EXPECT_EQ(restore({"users"}), BK_E_BUSY);
    mine.exec("COMMIT");
    EXPECT_EQ(restore({"users"}), BK_OK) << message;
    EXPECT_EQ(mine.value("SELECT count(*) FROM mine"), "1");
}

TEST_P(Tables, AFileThatIsNoDatabaseIsLeftAlone) {
    write_file(target, std::string(5000, 'x'));
    EXPECT_NE(restore({"users"}, "replace"), BK_OK);
    EXPECT_EQ(read_file(target), std::string(5000, 'x'));
}

using Image = Tables;
INSTANTIATE_TEST_SUITE_P(Only, Image, testing::Values("image"));

TEST_P(Image, NamesAreThoseThatPeopleChoose) {
    dump();
    Dumper dumper(target);
    const bk::MemoryRandomSource image(sink.bytes());
    const auto& table = *static_cast<const bk_dumper_extract*>(
        bk::linked_driver("sqlite").get_extension(BK_DUMPER_EXTRACT_ID));
    bk::Texts texts;
    bk_error error = bk::empty_error();
    EXPECT_EQ(table.names(dumper.self(), load_request(answer).c_str(), image.get(), bk::Texts::take,
                          &texts, &error),
              BK_OK);
    EXPECT_THAT(texts.all, testing::UnorderedElementsAre(
                               "users", "orders", "log", "audit", "rich", "richer", "w", "hidden",
                               "odd \"one\", two", "typed", "docs", "other"));
    EXPECT_EQ(table.names(dumper.self(), R"({"format":"sql"})", image.get(), bk::Texts::take,
                          &texts, &error),
              BK_E_INVALID);
}

TEST_P(Image, OnlyPagesThatAreNeededAreRead) {
    db.exec("PRAGMA journal_mode=WAL"); // the image says so too, and has no log
    dump();
    ASSERT_GT(sink.bytes().size(), 2'000'000u);
    ASSERT_EQ(restore({"w", "typed"}), BK_OK) << message;
    EXPECT_LT(pages->touched(), 150'000u);
    expect_same("w", "quote(k),quote(n)");
}

TEST_P(Image, DamageElsewhereDoesNotMatter) {
    dump();
    std::string bytes = sink.bytes();
    const std::string root = db.value("SELECT rootpage FROM sqlite_schema WHERE name='other'");
    std::fill_n(bytes.begin() + (std::stol(root) - 1) * 1024, 1024, 'x');
    std::fill_n(bytes.end() - 100 * 1024, 100 * 1024, 'x');
    Dumper dumper(target);
    std::string request = load_request(answer);
    request.insert(1, include({"users"}));
    (void)extract(dumper, request, bk::MemoryRandomSource(bytes));
    expect_same("users", "quote(id),quote(mail),quote(g),quote(v)");
    fs::remove(target);
    request = load_request(answer);
    request.insert(1, include({"users", "other"}));
    EXPECT_EQ(failure([&] { (void)extract(dumper, request, bk::MemoryRandomSource(bytes)); }),
              BK_E_CORRUPT);
    EXPECT_TRUE(left().empty());
}

TEST_P(Image, AModuleThatIsNotThereIsRefused) {
    db.exec("PRAGMA writable_schema=ON; INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql) "
            "VALUES('table','mystery','mystery',0,'CREATE VIRTUAL TABLE mystery USING nosuch(a)');"
            "PRAGMA writable_schema=RESET");
    EXPECT_EQ(restore({"mystery"}), BK_E_UNSUPPORTED);
    EXPECT_THAT(message, testing::HasSubstr("no such module: nosuch"));
    EXPECT_TRUE(left().empty());
    EXPECT_EQ(restore({"users"}), BK_OK) << message;
}

TEST_P(Image, ACancelEndsIt) {
    dump();
    Dumper dumper(target);
    std::string request = load_request(answer);
    request.insert(1, include({"other"}));
    dumper.host.cancel_at_poll(3);
    EXPECT_EQ(
        failure([&] { (void)extract(dumper, request, bk::MemoryRandomSource(sink.bytes())); }),
        BK_E_CANCELLED);
    EXPECT_TRUE(left().empty());
}

TEST_P(Image, AnyReadMayFail) {
    dump();
    for (fail_at = 1;; ++fail_at) {
        const bk_status status = restore({"users", "docs"});
        if (status == BK_OK) break;
        ASSERT_EQ(status, BK_E_UNAVAILABLE) << message;
        ASSERT_TRUE(left().empty());
        ASSERT_LT(fail_at, 500u);
    }
    EXPECT_GT(fail_at, 10u);
}

} // namespace
