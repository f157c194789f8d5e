// Looking for damage: the file, and rows that cannot be. See Catalog::check.
#include "core/catalog/catalog.hpp"
#include "core/catalog/catalog_internal.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {

using internal::Statement;
using internal::Transaction;

constexpr const char* kRebuild = "make it anew from the storages: bkhost catalog rebuild";

using Problems = std::vector<CatalogProblem>;

void check_file(Catalog::Impl& state, Problems& problems) {
    Statement statement(state.database, "PRAGMA integrity_check(20)");
    while (statement.step())
        if (const std::string text = statement.text(0); text != "ok")
            problems.push_back({"file '" + state.file.string() + "'", text, kRebuild});
}

template <class State>
void check_states(Catalog::Impl& state, const std::string& query, const std::string& noun,
                  Problems& problems) {
    Statement statement(state.database, query);
    while (statement.step())
        if (const std::string text = statement.text(1); !parse_state<State>(text))
            problems.push_back({noun + " '" + statement.text(0) + "'",
                                "is in a state that does not exist: '" + text + "'", kRebuild});
}

void check_copies(Catalog::Impl& state, Problems& problems) {
    Statement lonely(state.database, "SELECT backup_id, storage FROM copies "
                                     "WHERE backup_id NOT IN (SELECT id FROM backups)");
    while (lonely.step())
        problems.push_back({"copy of '" + lonely.text(0) + "' on '" + lonely.text(1) + "'",
                            "belongs to no backup", kRebuild});
    Statement empty(state.database,
                    "SELECT id FROM backups WHERE state = 'completed' AND id NOT IN "
                    "(SELECT backup_id FROM copies WHERE state = 'stored')");
    while (empty.step())
        problems.push_back({"backup '" + empty.text(0) + "'", "is completed, but stored nowhere",
                            "look for it on the storages: bkhost catalog rebuild"});
}

void check_orphans(const std::vector<Orphan>& orphans, Problems& problems) {
    for (const Orphan& orphan : orphans) {
        const std::string object = orphan.backup ? "backup '" + orphan.backup->id + "'"
                                                 : "restore '" + orphan.restore->id + "'";
        const std::string_view state =
            orphan.backup ? state_name(orphan.backup->state) : state_name(orphan.restore->state);
        problems.push_back({object,
                            "is '" + std::string(state) + "', but " +
                                (orphan.lease ? "the process that held its lease is dead"
                                              : "nobody holds a lease for it"),
                            "the next run or restore cleans up after it"});
    }
}

} // namespace

std::vector<CatalogProblem> Catalog::check() const {
    Problems problems;
    try {
        {
            const std::lock_guard lock(impl_->mutex);
            Transaction one_state(impl_->database, Transaction::Kind::read);
            check_file(*impl_, problems);
            check_states<BackupState>(*impl_, "SELECT id, state FROM backups", "backup", problems);
            check_states<RestoreState>(*impl_, "SELECT id, state FROM restores", "restore",
                                       problems);
            check_states<CopyState>(*impl_, "SELECT backup_id || '@' || storage, state FROM copies",
                                    "copy", problems);
            check_copies(*impl_, problems);
        }
        check_orphans(orphans(), problems);
    } catch (const bk::Error& error) { // too damaged to be read on; that too is a finding
        if (error.status() != BK_E_CORRUPT) throw;
        problems.push_back({"file '" + impl_->file.string() + "'", error.message(), error.hint()});
    }
    return problems;
}

} // namespace bkhost
