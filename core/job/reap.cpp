#include "core/job/reap.hpp"

#include "core/job/archive_cleaner.hpp"
#include "core/job/delete_backup.hpp"
#include "core/job/import.hpp"
#include "core/job/open_archive.hpp"
#include "core/job/reading_mark.hpp"

#include <bkhost/error.hpp>

#include <set>

namespace bkhost {
namespace {

/// What a copy of a backup turned out to be whose process died.
enum class Found { whole, not_whole, unknown };

/// Looks at one dead backup's copies. A copy that cannot be looked at stays `uploading`: the next
/// start looks again.
class BackupReaper {
public:
    BackupReaper(const JobContext& context, const OpenStorage& open_storage, const BackupRow& row)
        : context_(context), open_storage_(open_storage), row_(row),
          copies_(context.catalog.copies(row.id)) {}

    /// Ends the row of a run whose lease this process took over; whether its archive was whole.
    bool end_row(const Lease& lease) {
        const bool whole = look_at_all();
        if (!whole) {
            change_.error = "the process that ran it died";
            change_.hint = "run it again";
        }
        context_.catalog.finish_backup(row_.id, row_.state,
                                       whole ? BackupState::completed : BackupState::interrupted,
                                       change_, copies_, lease, whole ? Cause::adopt : Cause::step);
        return whole;
    }

    /// For a row that ended already, with copies that nobody could look at then; whether it is
    /// completed now. Copies and row in one step: a copy that is no longer `uploading` beside a row
    /// that is still interrupted would never be looked at again.
    bool look_again(const Lease& lease) {
        std::erase_if(copies_, [](const CopyRow& copy) { // the others may be written meanwhile
            return copy.state != CopyState::uploading;
        });
        if (!look_at_all() || row_.state != BackupState::interrupted) {
            context_.catalog.settle_copies(row_.id, copies_, lease);
            return false;
        }
        change_.error = "";
        change_.hint = "";
        context_.catalog.finish_backup(row_.id, row_.state, BackupState::completed, change_,
                                       copies_, lease, Cause::adopt);
        return true;
    }

private:
    bool look_at_all() {
        bool whole = false;
        for (CopyRow& copy : copies_) {
            if (copy.state != CopyState::uploading) continue;
            Found found = row_.state == BackupState::pending ? Found::not_whole : look(copy);
            if (found == Found::whole && !may_be_whole()) found = Found::not_whole;
            if (found == Found::not_whole) found = clean(copy);
            if (found == Found::unknown)
                context_.log.warn("backup '" + row_.id + "' left something behind: " + copy.error);
            whole = whole || found == Found::whole;
        }
        return whole;
    }

    /// Of a run that ended as failed nothing may stay, whole or not.
    [[nodiscard]] bool may_be_whole() const {
        return row_.state == BackupState::completed || row_.state == BackupState::expired ||
               allowed(row_.state, BackupState::completed, Cause::adopt);
    }

    Found look(CopyRow& copy) {
        Services services(context_.log, context_.stop);
        try {
            const ArchivePlace place{open_storage_(copy), row_.archive_key};
            OpenArchive archive(context_, place, {}, services);
            if (!all_there(archive)) return Found::not_whole;
            const FoundArchive found = describe_archive(archive.manifest(), place);
            change_ = found.change;
            copy.state = CopyState::stored;
            copy.size = found.copy.size;
            copy.manifest_sha256 = found.copy.manifest_sha256;
            copy.error.clear();
            return Found::whole;
        } catch (const bk::Error& error) {
            if (error.cancelled()) throw;
            copy.error = error.what();
            const bool answered =
                error.status() == BK_E_NOT_FOUND || error.status() == BK_E_CORRUPT;
            return answered ? Found::not_whole : Found::unknown;
        }
    }

    static bool all_there(OpenArchive& archive) {
        for (const ObjectRecord& object : archive.manifest().objects()) {
            const std::optional<ObjectInfo> info =
                archive.storage().stat(archive.folder() + object.key);
            if (!info || info->size != object.size) return false;
        }
        return true;
    }

    Found clean(CopyRow& copy) {
        try {
            OwnStorage own(context_, open_storage_(copy));
            if (row_.state != BackupState::pending) // else nothing was written yet
                remove_archive(own.storage, row_.archive_key);
            copy.state = CopyState::failed;
            copy.size = 0;
            copy.manifest_sha256.clear();
            copy.error = "its leftovers were removed";
            return Found::not_whole;
        } catch (const bk::Error& error) {
            if (error.cancelled()) throw;
            copy.error = error.what();
            return Found::unknown;
        }
    }

    const JobContext& context_;
    const OpenStorage& open_storage_;
    const BackupRow& row_;
    std::vector<CopyRow> copies_;
    BackupChange change_;
};

/// Copies that could not be looked at, or not be removed, when their run ended.
void look_again(const JobContext& context, const OpenStorage& open_storage,
                const std::set<std::string>& seen, ReapResult& result) {
    std::set<std::string> ids;
    for (const CopyRow& copy : context.catalog.copies(CopyState::uploading))
        if (!seen.contains(copy.backup_id)) ids.insert(copy.backup_id);
    for (const std::string& id : ids) {
        const std::optional<Lease> lease = context.catalog.try_acquire_backup(id);
        if (!lease) continue; // it runs, or somebody else is at it
        LeaseKeeper keeper(context.catalog, *lease, [] {});
        const BackupRow row = *context.catalog.backup(id);
        if (BackupReaper(context, open_storage, row).look_again(*lease)) ++result.adopted;
    }
}

/// Backups and copies whose deletion did not come to its end.
void go_on_deleting(const JobContext& context, const OpenStorage& open_storage,
                    ReapResult& result) {
    std::set<std::string> ids;
    for (const CopyRow& copy : context.catalog.copies(CopyState::deleting))
        ids.insert(copy.backup_id);
    for (const BackupRow& row : context.catalog.list({.states = {BackupState::deleting}}))
        ids.insert(row.id);
    for (const std::string& id : ids) {
        if (!resume_deletion(context, open_storage, id)) continue;
        context.log.info("what was left of backup '" + id + "' to delete is deleted now");
        ++result.deletions;
    }
}

/// So that its archive can be deleted; what cannot be removed stops counting by its age.
void remove_marks(const JobContext& context, const OpenStorage& open_storage,
                  const RestoreRow& restore) {
    const std::optional<BackupRow> row = context.catalog.backup(restore.backup_id);
    if (!row) return;
    for (const CopyRow& copy : context.catalog.copies(row->id)) {
        if (copy.state != CopyState::stored) continue;
        try {
            OwnStorage own(context, open_storage(copy));
            remove_reading_marks(own.storage, row->archive_key, restore.id);
        } catch (const bk::Error& error) {
            if (error.cancelled()) throw;
            context.log.warn(std::string("the mark of a restore that died was not removed: ") +
                             error.what());
        }
    }
}

} // namespace

ReapResult reap(const JobContext& context, const OpenStorage& open_storage) {
    ReapResult result;
    std::set<std::string> seen; // a storage that is away is asked once a start
    for (const Orphan& orphan : context.catalog.orphans()) {
        const std::optional<Lease> lease = context.catalog.take_over(orphan);
        if (!lease) continue; // somebody else was faster
        if (orphan.backup) seen.insert(orphan.backup->id);
        LeaseKeeper keeper(context.catalog, *lease, [] {});
        if (orphan.restore) {
            remove_marks(context, open_storage, *orphan.restore);
            RestoreChange change;
            change.error = "the process that ran it died";
            change.hint = "run it again";
            context.catalog.finish_restore(orphan.restore->id, orphan.restore->state,
                                           RestoreState::interrupted, change, *lease);
            ++result.restores;
        } else if (BackupReaper(context, open_storage, *orphan.backup).end_row(*lease)) {
            context.log.info("backup '" + orphan.backup->id +
                             "' was whole although its process died: it is completed now");
            ++result.adopted;
        } else {
            context.log.info("backup '" + orphan.backup->id +
                             "' was left behind by a process that died: it is interrupted now");
            ++result.interrupted;
        }
    }
    look_again(context, open_storage, seen, result);
    go_on_deleting(context, open_storage, result);
    return result;
}

} // namespace bkhost
