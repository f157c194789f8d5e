// Two connections and one row at a time, so that encodings may differ and nothing is attached.
#include "table_copy.hpp"

#include "schema.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace sqlite_driver {
namespace {

constexpr uint64_t kRowsBetweenPolls = 1024;

class TableCopy {
public:
    TableCopy(Connection& from, Connection& to, const Names& names, const Cancel& cancel)
        : from_(from), to_(to), names_(names), cancel_(cancel), objects_(read_objects(from)),
          shadows_(read_shadows(from)) {}

    std::map<std::string, uint64_t> run() {
        for_each("table", [&](const Object& table) {
            if (!table.is_virtual) to_.exec_one(table.sql);
        });
        for_each("table", [&](const Object& table) {
            rows_[owner(table.name)] += table.is_virtual ? 0 : copy_rows(table.name);
        });
        virtual_tables();
        counters();
        for (const char* type : {"index", "view", "trigger"})
            for_each(type, [&](const Object& object) { to_.exec_one(object.sql); });
        return std::move(rows_);
    }

private:
    [[nodiscard]] const std::string& owner(const std::string& table) const {
        const auto found = shadows_.find(table);
        return found != shadows_.end() ? found->second : table;
    }
    /// Those that are chosen, in the order in which they were made.
    template <class Body>
    void for_each(std::string_view type, Body&& body) {
        for (const Object& object : objects_) {
            if (object.type != type || !names_.contains(owner(object.table))) continue;
            cancel_.check();
            body(object);
        }
    }
    uint64_t copy_rows(const std::string& name);
    void virtual_tables();
    void counters();

    Connection &from_, &to_;
    const Names& names_;
    const Cancel& cancel_;
    const std::vector<Object> objects_;
    const std::map<std::string, std::string> shadows_;
    std::map<std::string, uint64_t> rows_;
};

uint64_t TableCopy::copy_rows(const std::string& name) {
    const Table table = read_table(from_, name);
    const std::string rowid = rowid_name(from_, table);
    const std::string columns = (rowid.empty() ? "" : rowid + ",") + column_list(table);
    const std::string quoted = "main." + quote_name(name);
    Statement scan = from_.prepare("SELECT " + columns + " FROM " + quoted + " NOT INDEXED");
    std::string marks = "?";
    for (int i = 1; i < scan.columns(); ++i)
        marks += ",?";
    // ABORT: a conflict clause of the table must not drop a row silently.
    Statement insert =
        to_.prepare("INSERT OR ABORT INTO " + quoted + "(" + columns + ") VALUES(" + marks + ")");
    uint64_t rows = 0;
    for (; scan.step(); ++rows) {
        if (rows % kRowsBetweenPolls == 0) cancel_.check();
        for (int i = 0; i < scan.columns(); ++i)
            if (const int code =
                    sqlite3_bind_value(insert.get(), i + 1, sqlite3_column_value(scan.get(), i));
                code != SQLITE_OK)
                throw_sqlite(to_.get(), code, to_.object());
        (void)insert.step();
        insert.reset();
    }
    return rows;
}

/// "CREATE VIRTUAL TABLE" would make the tables behind it a second time.
void TableCopy::virtual_tables() {
    bool any = false;
    for_each("table", [&](const Object& table) {
        if (!table.is_virtual) return;
        if (!any) to_.exec("PRAGMA writable_schema=ON");
        any = true;
        to_.exec("INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)VALUES('table'," +
                 quote_text(table.name) + "," + quote_text(table.table) + ",0," +
                 quote_text(table.sql) + ")");
    });
    if (!any) return;
    // Others that have the database open, and this connection, must read the schema again.
    to_.exec("PRAGMA schema_version=" + std::to_string(to_.number("PRAGMA schema_version") + 1) +
             "; PRAGMA writable_schema=RESET");
}

void TableCopy::counters() {
    if (!has_table(from_, "sqlite_sequence") || !has_table(to_, "sqlite_sequence")) return;
    for_each("table", [&](const Object& table) {
        const std::string name = quote_text(table.name);
        Statement counter = from_.prepare("SELECT seq FROM sqlite_sequence WHERE name=" + name);
        to_.exec("DELETE FROM sqlite_sequence WHERE name=" + name);
        if (!counter.step()) return;
        Statement insert =
            to_.prepare("INSERT INTO sqlite_sequence(name,seq) VALUES(" + name + ",?1)");
        sqlite3_bind_value(insert.get(), 1, sqlite3_column_value(counter.get(), 0));
        (void)insert.step();
    });
}

} // namespace

std::map<std::string, uint64_t> copy_tables(Connection& from, Connection& to, const Names& names,
                                            const Cancel& cancel) {
    return TableCopy(from, to, names, cancel).run();
}

} // namespace sqlite_driver
