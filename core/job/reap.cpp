#include "core/job/reap.hpp"

#include "core/job/archive_cleaner.hpp"
#include "core/job/import.hpp"
#include "core/job/open_archive.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {

/// Looks at one dead backup's copies, and ends its row.
class BackupReaper {
public:
    BackupReaper(const JobContext& context, const OpenStorage& open_storage, const BackupRow& row,
                 const Lease& lease)
        : context_(context), open_storage_(open_storage), row_(row), lease_(lease) {}

    /// Whether the archive turned out to be whole.
    bool run() {
        std::vector<CopyRow> copies = context_.catalog.copies(row_.id);
        BackupChange change;
        bool whole = false;
        for (CopyRow& copy : copies) whole = look(copy, change) || whole;
        if (!whole) {
            change.error = "the process that ran it died";
            change.hint = "its leftovers were removed; run it again";
            for (CopyRow& copy : copies) clean(copy);
        }
        context_.catalog.finish_backup(row_.id, row_.state,
                                       whole ? BackupState::completed : BackupState::interrupted, change,
                                       copies, lease_, whole ? Cause::adopt : Cause::step);
        return whole;
    }

private:
    bool look(CopyRow& copy, BackupChange& change) {
        Services services(context_.log, context_.stop);
        try {
            const ArchivePlace place{open_storage_(copy), row_.archive_key};
            OpenArchive archive(context_, place, {}, services);
            if (archive.manifest().id != row_.id || !all_there(archive)) return false;
            const FoundArchive found = describe_archive(archive.manifest(), place);
            change = found.change;
            copy.state = CopyState::stored;
            copy.size = found.copy.size;
            copy.manifest_sha256 = found.copy.manifest_sha256;
            return true;
        } catch (const bk::Error& error) {
            if (error.cancelled()) throw;
            copy.state = CopyState::failed;
            copy.error = error.what();
            return false;
        }
    }

    static bool all_there(OpenArchive& archive) {
        for (const ObjectRecord& object : archive.manifest().objects()) {
            const std::optional<ObjectInfo> info = archive.storage().stat(archive.folder() + object.key);
            if (!info || info->size != object.size) return false;
        }
        return true;
    }

    void clean(CopyRow& copy) {
        copy.state = CopyState::failed;
        if (row_.state == BackupState::pending) return; // nothing was written yet
        Services services(context_.log, context_.stop);
        try {
            const NamedDriver named = open_storage_(copy);
            Storage storage(named.name,
                            set_up(context_.registry, kStorage, named.spec, "storage '" + named.name + "'"),
                            services);
            remove_archive(storage, row_.archive_key);
            copy.error = "removed after its process died";
        } catch (const bk::Error& error) {
            if (error.cancelled()) throw;
            copy.error = std::string("leftovers were not removed: ") + error.what();
            context_.log.warn("backup '" + row_.id + "': " + copy.error);
        }
    }

    const JobContext& context_;
    const OpenStorage& open_storage_;
    const BackupRow& row_;
    const Lease& lease_;
};

} // namespace

ReapResult reap(const JobContext& context, const OpenStorage& open_storage) {
    ReapResult result;
    for (const Orphan& orphan : context.catalog.orphans()) {
        const std::optional<Lease> lease = context.catalog.take_over(orphan);
        if (!lease) continue; // somebody else was faster
        LeaseKeeper keeper(context.catalog, *lease, [] {});
        if (orphan.restore) {
            RestoreChange change;
            change.error = "the process that ran it died";
            change.hint = "run it again";
            context.catalog.finish_restore(orphan.restore->id, orphan.restore->state,
                                           RestoreState::interrupted, change, *lease);
            ++result.restores;
        } else if (BackupReaper(context, open_storage, *orphan.backup, *lease).run()) {
            context.log.info("backup '" + orphan.backup->id +
                             "' was whole although its process died: it is completed now");
            ++result.adopted;
        } else {
            context.log.info("backup '" + orphan.backup->id +
                             "' was left behind by a process that died: it is interrupted now");
            ++result.interrupted;
        }
    }
    return result;
}

} // namespace bkhost
