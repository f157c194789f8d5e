// A merge is one transaction on the target; its rows come from the temporary database, so that the
// target is locked no longer than it takes to copy them, and not while a storage is read.
#include "restore_target.hpp"

#include "database.hpp"

#include <filesystem>

namespace sqlite_driver {
namespace {

/// "table" or "view", or "" when the target has neither of that name.
std::string type_in(Connection& target, const std::string& name) {
    return target.text("SELECT type FROM sqlite_schema WHERE type IN('table','view') AND name=" +
                       quote_text(name) + " COLLATE NOCASE");
}

/// Rows are put in as they were, whatever the rules say of them.
void relax(Connection& db) {
    db.confine();
    db.exec("PRAGMA foreign_keys=OFF; PRAGMA ignore_check_constraints=ON");
}

} // namespace

RestoreTarget::RestoreTarget(RestoreOptions options, bk::Host host, const Cancel& cancel)
    : options_(std::move(options)), host_(host), cancel_(cancel),
      merges_(!options_.tables.empty() && std::filesystem::exists(options_.path)) {
    if (merges_) {
        Connection target(options_.path, Access::read, options_.patience, cancel_);
        check_tables(target);
    }
    // A database that turns up meanwhile is not replaced by one that has a few tables only.
    const Existing existing = merges_                   ? Existing::keep
                              : options_.tables.empty() ? options_.existing
                                                        : Existing::refuse;
    file_.emplace(options_.path, existing, options_.patience, cancel_);
}

void RestoreTarget::check_tables(Connection& target) const {
    for (const std::string& name : options_.tables)
        if (const std::string type = type_in(target, name);
            !type.empty() && options_.existing == Existing::refuse)
            throw bk::Error(BK_E_EXISTS, target.object() + " has a " + type + " '" + name + "'",
                            "restore to another database, or say --replace to replace it");
}

void RestoreTarget::remove_tables(Connection& target) const {
    for (const std::string& name : options_.tables)
        if (const std::string type = type_in(target, name); !type.empty())
            target.exec("DROP " + type + " main." + quote_name(name));
}

void RestoreTarget::review_new() const {
    Connection made(temporary(), Access::write, options_.patience, cancel_);
    relax(made);
    made.exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
              "BEGIN");
    review_tables(made, options_.tables, host_);
    made.exec("COMMIT");
}

void RestoreTarget::merge() const {
    Connection from(temporary(), Access::immutable, options_.patience, cancel_);
    Connection target(options_.path, Access::write, options_.patience, cancel_);
    relax(target);
    target.exec("BEGIN IMMEDIATE"); // rolled back when the connection ends before COMMIT
    check_tables(target);
    remove_tables(target);
    copy_tables(from, target, options_.tables, cancel_);
    review_tables(target, options_.tables, host_);
    target.exec("COMMIT");
}

void RestoreTarget::finish() {
    if (!options_.tables.empty() && !merges_) review_new();
    check_integrity(temporary(), options_.check, host_, cancel_);
    if (merges_)
        merge();
    else
        file_->publish();
}

} // namespace sqlite_driver
