// SQLite itself is asked what works: a statement that uses a view or fires a trigger is prepared,
// and not run. Only "no such table" counts: functions and collations may be the application's.
#include "schema.hpp"
#include "table_copy.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace sqlite_driver {
namespace {

/// What SQLite has against a statement; "" when nothing.
std::string complaint(Connection& db, const std::string& sql) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &prepared, nullptr);
    sqlite3_finalize(prepared);
    return code == SQLITE_OK ? "" : sqlite3_errmsg(db.get());
}

/// The table for want of which a statement does not work, or "".
std::string missing_table(Connection& db, const std::string& sql) {
    constexpr std::string_view words = "no such table: ", schema = "main.";
    const std::string text = complaint(db, sql);
    if (!text.starts_with(words)) return "";
    std::string_view name = std::string_view(text).substr(words.size());
    if (name.starts_with(schema)) name.remove_prefix(schema.size());
    return std::string(name);
}

void tell_left_out(bk::Host host, const Object& object, const std::string& needs) {
    host.warn("left-out", object.type + " '" + object.name + "'",
              "left out: it needs table '" + needs + "', which is not there");
}

/// Objects of a type that belong to the named tables.
std::vector<Object> of_type(Connection& db, std::string_view type, const Names& names) {
    std::vector<Object> objects = read_objects(db);
    std::erase_if(objects, [&](const Object& object) {
        return object.type != type || !names.contains(object.table);
    });
    return objects;
}

void check_modules(Connection& db, const Names& names) {
    for (const Object& table : of_type(db, "table", names)) {
        if (!table.is_virtual) continue;
        const std::string why = complaint(db, "SELECT 1 FROM main." + quote_name(table.name));
        if (!why.empty())
            throw bk::Error(BK_E_UNSUPPORTED,
                            "virtual table '" + table.name + "' cannot be taken out: " + why,
                            "restore the whole database");
    }
}

/// Views may stand on each other, so it is looked again after one was dropped.
void review_views(Connection& db, const Names& names, bk::Host host) {
    for (bool dropped = true; dropped;) {
        dropped = false;
        for (const Object& view : of_type(db, "view", names)) {
            const std::string needs =
                missing_table(db, "SELECT 1 FROM main." + quote_name(view.name));
            if (needs.empty()) continue;
            db.exec("DROP VIEW main." + quote_name(view.name));
            tell_left_out(host, view, needs);
            dropped = true;
        }
    }
}

/// Of the statements that may fire a trigger of the table.
std::string missing_for_triggers(Connection& db, const std::string& name) {
    const std::string table = "main." + quote_name(name);
    std::string assignments;
    for (const Column& column : read_table(db, name).columns) {
        const std::string quoted = quote_name(column.name);
        if (!assignments.empty()) assignments += ',';
        assignments.append(quoted).append("=").append(quoted);
    }
    for (const std::string& sql :
         {"INSERT INTO " + table + " DEFAULT VALUES", "UPDATE " + table + " SET " + assignments,
          "DELETE FROM " + table})
        if (const std::string needs = missing_table(db, sql); !needs.empty()) return needs;
    return "";
}

/// One after the other is made anew, so that it shows which of them does not work.
void review_triggers(Connection& db, const Names& names, bk::Host host) {
    const std::vector<Object> triggers = of_type(db, "trigger", names);
    const auto drop = [&](const Object& trigger) {
        db.exec("DROP TRIGGER main." + quote_name(trigger.name));
    };
    std::ranges::for_each(triggers, drop);
    for (const Object& trigger : triggers) {
        db.exec_one(trigger.sql);
        const std::string needs = missing_for_triggers(db, trigger.table);
        if (needs.empty()) continue;
        drop(trigger);
        tell_left_out(host, trigger, needs);
    }
}

void review_foreign_keys(Connection& db, const Names& names, bk::Host host) {
    for (const Object& table : of_type(db, "table", names)) {
        Names absent;
        for (const ForeignKey& key : read_foreign_keys(db, table.name))
            if (!has_table(db, key.table)) absent.insert(key.table);
        for (const std::string& parent : absent)
            host.warn("foreign-key", "table '" + table.name + "'",
                      "refers to table '" + parent + "', which is not there");
    }
}

} // namespace

void review_tables(Connection& db, const Names& names, bk::Host host) {
    check_modules(db, names);
    review_views(db, names, host);
    review_triggers(db, names, host);
    review_foreign_keys(db, names, host);
}

} // namespace sqlite_driver
