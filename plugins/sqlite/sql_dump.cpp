// Order of the script: session state, tables, rows, sequences, indexes, statistics, triggers,
// COMMIT.
#include "sql_dump.hpp"

#include "row_digest.hpp"
#include "schema.hpp"
#include "sql_literal.hpp"
#include "sql_stream.hpp"

#include <algorithm>
#include <set>

#include <sqlite3.h>

namespace sqlite_driver {
namespace {

constexpr size_t kStatementBytes = 1U << 16U; // small enough that parsing one takes little memory
constexpr uint64_t kStatementRows = 500;

class SqlDump {
public:
    SqlDump(Snapshot& snapshot, const Selection& selection, const SqlDumpOptions& options,
            const Cancel& cancel, bk::Sink sink)
        : snapshot_(snapshot), connection_(snapshot.rows()), selection_(selection),
          options_(options), cancel_(cancel), stream_(sink),
          literals_(connection_, [this] { spill(); }) {}

    void run() {
        objects_ = read_objects(connection_);
        shadows_ = read_shadows(connection_);
        prologue();
        if (selection_.schema) definitions();
        if (selection_.data) rows();
        if (selection_.data) sequences();
        if (selection_.schema) of_type("index", 1);
        if (selection_.data && selection_.schema) statistics();
        if (selection_.schema) of_type("trigger", 5);
        section(BK_PHASE_EPILOGUE, 0, "session", "");
        statement("COMMIT");
        stream_.finish(digest_);
    }

private:
    void section(uint32_t phase, uint32_t step, const char* kind, const std::string& name,
                 const std::string& depends = {}) {
        cancel_.check();
        snapshot_.check();
        stream_.section({.phase = phase,
                         .step = step,
                         .kind = kind,
                         .namespace_name = name.empty() ? "" : "main",
                         .name = name,
                         .depends = depends});
    }
    void statement(const std::string& sql) {
        stream_.text() += sql;
        // A comment at the end must not swallow the semicolon.
        if (sql.find("--", sql.rfind('\n') + 1) != std::string::npos) stream_.text() += '\n';
        stream_.text() += ";\n";
        stream_.statement_done(digest_);
    }
    void spill();

    [[nodiscard]] bool wanted(const std::string& table) const {
        const auto owner = shadows_.find(table);
        return selection_.wants(owner != shadows_.end() ? owner->second : table);
    }

    /// Tables behind a virtual one are not for people to choose.
    [[nodiscard]] const char* kind(const std::string& table) const {
        return shadows_.contains(table) ? "shadow table" : "table";
    }

    void prologue();
    void definitions();
    void virtual_table(const Object& object);
    void rows();
    void table_rows(const Table& table);
    void row(Statement& scan, const std::string& head, uint64_t number, bool with_rowid);
    void append_values(std::string& text, Statement& scan);
    void end_statement();
    [[nodiscard]] std::string select(const Table& table, const std::string& rowid) const;
    void sequences();
    void sequence(const std::string& name, Statement* row);
    void statistics();
    void of_type(const char* type, uint32_t step);
    void literal_rows(const std::string& table, const std::string& columns,
                      const std::string& where);

    Snapshot& snapshot_;
    Connection& connection_;
    const Selection& selection_;
    const SqlDumpOptions& options_;
    const Cancel& cancel_;
    SqlStream stream_;
    LiteralWriter literals_;
    RowDigest digest_;
    std::vector<Object> objects_;
    std::map<std::string, std::string> shadows_;
    uint64_t statement_rows_ = 0;
    uint64_t statement_bytes_ = 0; ///< of the open statement, spilt ones only
    size_t statement_start_ = 0;   ///< in the text, as long as nothing was spilt
};

void SqlDump::spill() {
    const size_t size = stream_.text().size();
    if (!stream_.spill()) return;
    statement_bytes_ += size - statement_start_;
    statement_start_ = 0;
    const auto limit =
        static_cast<uint64_t>(sqlite3_limit(connection_.get(), SQLITE_LIMIT_SQL_LENGTH, -1));
    if (statement_bytes_ > limit)
        throw bk::Error(BK_E_UNSUPPORTED,
                        connection_.object() + ": a row is longer than the " +
                            std::to_string(limit) + " bytes that SQLite takes as a statement",
                        "use format=image");
    cancel_.check();
    snapshot_.check();
}

void SqlDump::prologue() {
    const auto number = [&](const char* pragma) {
        return std::string("PRAGMA ") + pragma + "=" +
               std::to_string(connection_.number(std::string("PRAGMA ") + pragma));
    };
    section(BK_PHASE_PROLOGUE, 0, "session", "");
    statement("PRAGMA foreign_keys=OFF");
    statement(number("page_size"));
    statement("PRAGMA encoding=" + quote_text(connection_.text("PRAGMA encoding")));
    for (const char* pragma : {"auto_vacuum", "application_id", "user_version"})
        statement(number(pragma));
    statement("BEGIN TRANSACTION");
}

void SqlDump::definitions() {
    std::vector<const Object*> virtuals;
    for (const Object& object : objects_) {
        if (object.type != "table" || !wanted(object.name)) continue;
        if (object.is_virtual) {
            virtuals.push_back(&object);
            continue;
        }
        section(BK_PHASE_PRE, 0, kind(object.name), object.name);
        statement(object.sql);
    }
    // After the tables behind them, which "CREATE VIRTUAL TABLE" would make a second time.
    for (const Object* object : virtuals)
        virtual_table(*object);
    of_type("view", 0);
}

void SqlDump::virtual_table(const Object& object) {
    std::vector<std::string> behind;
    for (const auto& [shadow, owner] : shadows_)
        if (owner == object.name) behind.push_back(shadow);
    section(BK_PHASE_PRE, 0, "virtual table", object.name, name_list(behind));
    statement("PRAGMA writable_schema=ON");
    statement("INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table'," +
              quote_text(object.name) + "," + quote_text(object.table) + ",0," +
              quote_text(object.sql) + ")");
    statement("PRAGMA writable_schema=OFF");
}

void SqlDump::of_type(const char* type, uint32_t step) {
    const bool view = std::string_view(type) == "view";
    for (const Object& object : objects_) {
        if (object.type != type || !wanted(view ? object.name : object.table)) continue;
        section(view ? BK_PHASE_PRE : BK_PHASE_POST, step, type, object.name,
                view ? "" : name_list({object.table}));
        statement(object.sql);
    }
}

void SqlDump::rows() {
    for (const Table& table : read_tables(connection_))
        if (wanted(table.name)) table_rows(table);
}

/// The stored columns, or what the projection puts in their place.
std::string SqlDump::select(const Table& table, const std::string& rowid) const {
    const auto found = selection_.tables.find(table.name);
    std::string list = rowid;
    for (const Column& column : table.columns) {
        if (!list.empty()) list += ',';
        const std::string name = quote_name(column.name);
        const bool masked =
            found != selection_.tables.end() && found->second.columns.contains(column.name);
        list += masked ? "(" + found->second.columns.at(column.name) + ")" : name;
    }
    const bool filtered = found != selection_.tables.end() && !found->second.where.empty();
    return "SELECT " + list + " FROM main." + quote_name(table.name) +
           (filtered ? " WHERE (" + found->second.where + ")" : " NOT INDEXED");
}

void SqlDump::table_rows(const Table& table) {
    const std::string rowid = options_.preserve_rowids ? rowid_name(connection_, table) : "";
    const std::string head = "INSERT INTO " + quote_name(table.name) + "(" +
                             (rowid.empty() ? "" : rowid + ",") + column_list(table) + ") VALUES";
    section(BK_PHASE_DATA, 0, kind(table.name), table.name);
    Statement scan = connection_.prepare(select(table, rowid));
    for (uint64_t number = 1; scan.step(); ++number)
        row(scan, head, number, !rowid.empty());
    end_statement();
    stream_.finish(digest_);
}

void SqlDump::append_values(std::string& text, Statement& scan) {
    for (int column = 0, count = scan.columns(); column < count; ++column) {
        if (column > 0) text += ',';
        literals_.append(text, scan.get(), column);
    }
}

void SqlDump::row(Statement& scan, const std::string& head, uint64_t number, bool with_rowid) {
    constexpr uint64_t between_polls = 1024;
    if (number % between_polls == 0) {
        cancel_.check();
        snapshot_.check();
    }
    std::string& text = stream_.text();
    if (statement_rows_ == 0) {
        statement_start_ = text.size();
        text += head;
    }
    text += statement_rows_ == 0 ? "\n(" : ",\n(";
    append_values(text, scan);
    text += ')';
    digest_.add(scan.get(), with_rowid ? 1 : 0);
    ++statement_rows_;
    const uint64_t bytes = statement_bytes_ + text.size() - statement_start_;
    if (bytes >= kStatementBytes || statement_rows_ >= kStatementRows) end_statement();
}

void SqlDump::end_statement() {
    if (statement_rows_ == 0) return;
    stream_.text() += ";\n";
    statement_rows_ = statement_bytes_ = 0;
    stream_.statement_done(digest_);
}

void SqlDump::literal_rows(const std::string& table, const std::string& columns,
                           const std::string& where) {
    Statement scan = connection_.prepare("SELECT " + columns + " FROM " + table + where);
    std::string& text = stream_.text();
    while (scan.step()) {
        text += "INSERT INTO " + table + "(" + columns + ") VALUES(";
        append_values(text, scan);
        text += ");\n";
        stream_.statement_done(digest_);
    }
}

/// A section each, so that a table can be restored with its counter. The order is that of
/// sqlite_sequence, where every row is made anew.
void SqlDump::sequences() {
    std::set<std::string> counted;
    for (const Object& object : objects_)
        if (object.type == "table" && !object.is_virtual && wanted(object.name) &&
            is_autoincrement(connection_, read_table(connection_, object.name)))
            counted.insert(object.name);
    if (counted.empty()) return; // sqlite_sequence may not be there
    Statement uncounted = connection_.prepare("SELECT 1 FROM sqlite_sequence WHERE name=?1");
    for (const std::string& name : counted) {
        sqlite3_bind_text(uncounted.get(), 1, name.data(), static_cast<int>(name.size()),
                          SQLITE_TRANSIENT);
        if (!uncounted.step()) sequence(name, nullptr);
        uncounted.reset();
    }
    Statement scan = connection_.prepare("SELECT name,seq FROM sqlite_sequence ORDER BY rowid");
    while (scan.step()) {
        const std::string name(scan.text(0));
        const auto is_this = [&](const Object& object) { return object.name == name; };
        if (counted.contains(name) || std::ranges::none_of(objects_, is_this))
            sequence(counted.contains(name) ? name : "", &scan);
    }
}

/// `name` "": of no table that is there.
void SqlDump::sequence(const std::string& name, Statement* row) {
    section(BK_PHASE_POST, 1, "sequence", name.empty() ? "sqlite_sequence" : name,
            name.empty() ? "" : name_list({name}));
    if (!name.empty()) statement("DELETE FROM sqlite_sequence WHERE name=" + quote_text(name));
    if (row == nullptr) return;
    std::string& text = stream_.text();
    text += "INSERT INTO sqlite_sequence(name,seq) VALUES(";
    append_values(text, *row);
    text += ");\n";
    stream_.statement_done(digest_);
}

void SqlDump::statistics() {
    if (!selection_.whole() ||
        connection_.number("SELECT count(*) FROM sqlite_schema WHERE name='sqlite_stat1'") == 0)
        return;
    section(BK_PHASE_POST, 4, "statistics", "sqlite_stat1");
    statement("ANALYZE sqlite_schema"); // makes the table, which nobody may create by name
    statement("DELETE FROM sqlite_stat1");
    literal_rows("sqlite_stat1", "tbl,idx,stat", " ORDER BY rowid");
}

} // namespace

void check_selection(Connection& connection, const Selection& selection) {
    const auto check = [&](const std::string& name) {
        if (connection.number(
                "SELECT count(*) FROM sqlite_schema WHERE type IN ('table','view') AND "
                "name=" +
                quote_text(name)) == 0)
            throw bk::Error(BK_E_NOT_FOUND, connection.object() + " has no table '" + name + "'",
                            "names are compared exactly, with upper and lower case");
    };
    std::ranges::for_each(selection.include, check);
    std::ranges::for_each(selection.exclude, check);
    for (const auto& [name, projection] : selection.tables) {
        check(name);
        const Table table = read_table(connection, name);
        for (const auto& [column, expression] : projection.columns)
            if (std::ranges::find(table.columns, column, &Column::name) == table.columns.end())
                throw bk::Error(BK_E_NOT_FOUND,
                                "table '" + name + "' stores no column '" + column + "'");
    }
}

void dump_sql(Snapshot& snapshot, const Selection& selection, const SqlDumpOptions& options,
              const Cancel& cancel, bk::Sink sink) {
    try {
        SqlDump(snapshot, selection, options, cancel, sink).run();
    } catch (const bk::Error&) {
        snapshot.check(); // an interrupted scan says less than why it was interrupted
        throw;
    }
}

} // namespace sqlite_driver
