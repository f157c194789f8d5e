// What the tests of this folder share: a directory, a database that the test writes, and the driver
// as the host calls it, through the C table.
#pragma once

#include <bkhost/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <unistd.h>

namespace testbed {

namespace fs = std::filesystem;

class TempDirectory {
public:
    TempDirectory() {
        std::string name = (fs::temp_directory_path() / "bkhost-sqlite-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    ~TempDirectory() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    TempDirectory(const TempDirectory&) = delete;
    TempDirectory& operator=(const TempDirectory&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const {
        return (path_ / name).string();
    }
    /// Names in the directory, sorted.
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : fs::directory_iterator(path_))
            all.push_back(entry.path().filename().string());
        std::sort(all.begin(), all.end());
        return all;
    }

private:
    fs::path path_;
};

inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

/// A connection of the application that owns the database.
class Db {
public:
    explicit Db(const std::string& path) {
        check(sqlite3_open(path.c_str(), &db_));
        sqlite3_wal_autocheckpoint(db_, 0); // a test says when
    }
    ~Db() { sqlite3_close_v2(db_); }
    Db(const Db&) = delete;
    Db& operator=(const Db&) = delete;

    void exec(const std::string& sql) {
        check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr));
    }
    /// The status of the statement, for what may fail.
    int attempt(const std::string& sql) {
        return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    }
    /// All rows as one text, values as quote() writes them.
    std::string rows(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr));
        std::string all;
        int code = SQLITE_OK;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            for (int i = 0; i < sqlite3_column_count(statement); ++i) {
                const auto* text = sqlite3_column_text(statement, i);
                all += text != nullptr ? reinterpret_cast<const char*>(text) : "NULL";
                all += '|';
            }
            all += '\n';
        }
        sqlite3_finalize(statement);
        check(code == SQLITE_DONE ? SQLITE_OK : code);
        return all;
    }
    std::string value(const std::string& sql) {
        std::string text = rows(sql);
        return text.substr(0, text.find('|'));
    }
    /// Every row of every table, and the schema.
    std::string content() {
        std::string all =
            rows("SELECT type,name,tbl_name,sql FROM sqlite_schema ORDER BY type,name");
        sqlite3_stmt* statement = nullptr;
        std::vector<std::string> tables;
        check(
            sqlite3_prepare_v2(db_,
                               "SELECT s.name, group_concat('quote(\"'||replace(x.name,'\"','\"\"')"
                               "||'\")') FROM sqlite_schema s JOIN pragma_table_xinfo(s.name) x "
                               "WHERE s.type='table' AND s.rootpage>0 GROUP BY s.name ORDER BY 1",
                               -1, &statement, nullptr));
        while (sqlite3_step(statement) == SQLITE_ROW) {
            std::string name;
            for (const char* c = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
                 *c != 0; ++c)
                name += *c == '"' ? std::string("\"\"") : std::string(1, *c);
            const std::string columns =
                reinterpret_cast<const char*>(sqlite3_column_text(statement, 1));
            all += name + ":\n" + rows("SELECT " + columns + " FROM \"" + name + "\" ORDER BY 1");
        }
        sqlite3_finalize(statement);
        return all;
    }
    [[nodiscard]] sqlite3* get() const noexcept { return db_; }

private:
    void check(int code) const {
        if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db_));
    }
    sqlite3* db_ = nullptr;
};

inline std::string content_of(const std::string& path) { return Db(path).content(); }

/// The driver with one configuration, called as the host calls it; failures are thrown.
class Dumper {
public:
    explicit Dumper(const bk::FakeConfig::Values& values)
        : config_(values, bk::linked_driver("sqlite")),
          table_(*static_cast<const bk_dumper*>(bk::linked_driver("sqlite").vtable)) {
        call([&](bk_error* e) { return table_.create(host.get(), config_.get(), &self_, e); });
    }
    explicit Dumper(const std::string& path) : Dumper(bk::FakeConfig::Values{{"path", {path}}}) {}
    ~Dumper() {
        if (self_ != nullptr) table_.destroy(self_);
    }
    Dumper(const Dumper&) = delete;
    Dumper& operator=(const Dumper&) = delete;

    std::string begin(const char* request = "{}") {
        return text([&](bk::Texts& t, bk_error* e) {
            return table_.dump_begin(self_, request, bk::Texts::take, &t, e);
        });
    }
    std::vector<uint32_t> plan() {
        std::vector<uint32_t> units;
        const bk_unit_fn take = [](void* ctx, const bk_unit* unit) noexcept -> bk_status {
            static_cast<std::vector<uint32_t>*>(ctx)->push_back(unit->number);
            return BK_OK;
        };
        call([&](bk_error* e) { return table_.plan(self_, take, &units, e); });
        return units;
    }
    void dump(uint32_t unit, bk::RecordingSink& sink) {
        call([&](bk_error* e) { return table_.dump(self_, unit, sink.get(), e); });
    }
    void end(bool ok = true) {
        call([&](bk_error* e) { return table_.dump_end(self_, ok ? 1 : 0, e); });
    }
    std::string probe() {
        return text(
            [&](bk::Texts& t, bk_error* e) { return table_.probe(self_, bk::Texts::take, &t, e); });
    }
    std::string inspect() {
        return text([&](bk::Texts& t, bk_error* e) {
            return table_.inspect(self_, "{}", bk::Texts::take, &t, e);
        });
    }
    void interrupt() { table_.interrupt(self_); }
    [[nodiscard]] void* self() const noexcept { return self_; } ///< for the extensions

    void* load_begin(const std::string& request) {
        void* session = nullptr;
        uint32_t parallel = 0;
        call([&](bk_error* e) {
            return table_.load_begin(self_, request.c_str(), &session, &parallel, e);
        });
        return session;
    }
    void load(void* session, const bk::RecordingSink::Section& section, uint64_t offset,
              bk::MemorySource& source) {
        bk_load_unit unit{};
        unit.struct_size = sizeof unit;
        unit.archive_id = "test";
        unit.section = {
            sizeof(bk_section),   section.phase,           section.step,
            section.flags,        section.kind.c_str(),    section.namespace_name.c_str(),
            section.name.c_str(), section.depends.c_str(), section.size_hint};
        unit.section_offset = offset;
        call([&](bk_error* e) { return table_.load(session, &unit, source.get(), e); });
    }
    void load_end(void* session, bool ok = true) {
        call([&](bk_error* e) { return table_.load_end(session, ok ? 1 : 0, e); });
    }

    bk::FakeHost host;

private:
    template <class Call>
    void call(Call&& function) {
        bk_error error = bk::empty_error();
        if (const bk_status status = function(&error); status != BK_OK)
            bk::throw_error(status, error);
    }
    template <class Call>
    std::string text(Call&& function) {
        bk::Texts texts;
        call([&](bk_error* e) { return function(texts, e); });
        return texts.joined();
    }

    bk::FakeConfig config_;
    const bk_dumper& table_;
    void* self_ = nullptr;
};

/// What dump_begin answered becomes a request to load.
inline std::string load_request(std::string answer, const std::string& target = "refuse") {
    answer.insert(1, R"("archive_id":"test","target":")" + target + R"(",)");
    return answer;
}

/// Gives the pieces as a host does: several fragments at a time, in the order of the stream.
inline void load_all(Dumper& dumper, const std::string& request, const bk::RecordingSink& dump) {
    void* session = dumper.load_begin(request);
    try {
        for (const auto& section : dump.sections()) {
            uint64_t offset = 0;
            std::string piece;
            for (size_t i = 0; i < section.fragments.size(); ++i) {
                piece += section.fragments[i].bytes;
                if (i % 3 != 2 && i + 1 < section.fragments.size()) continue;
                bk::MemorySource source(piece, 100'003);
                dumper.load(session, section, offset, source);
                offset += piece.size();
                piece.clear();
            }
        }
    } catch (const bk::Error&) {
        dumper.load_end(session, false);
        throw;
    }
    dumper.load_end(session, true);
}

/// The status with which `body` fails; BK_OK when it does not. The message goes into `message`.
template <class Body>
bk_status failure(Body&& body, std::string* message = nullptr) {
    try {
        body();
    } catch (const bk::Error& error) {
        if (message != nullptr) *message = error.message() + " / " + error.hint();
        EXPECT_FALSE(error.message().empty());
        return error.status();
    }
    return BK_OK;
}

} // namespace testbed
