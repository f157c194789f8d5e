#include "core/job/delete_backup.hpp"

#include "core/job/archive_cleaner.hpp"
#include "core/job/reading_mark.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

void refuse_when_stopped(const JobContext& context) {
    if (context.stop.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
}

bk::Error being_read(const std::string& id, const std::string& storage, const std::string& mark) {
    return {BK_E_BUSY,
            "backup '" + id + "' is being read on storage '" + storage + "' (object '" + mark +
                "')",
            "wait until the restore has ended; when it died elsewhere, remove that object"};
}

/// Before anything is changed. A storage that does not answer refuses nothing here: its copy is
/// looked at again before it goes.
void refuse_readers(const JobContext& context, const OpenStorage& open_storage,
                    const BackupRow& row, const std::string& storage) {
    for (const CopyRow& copy : context.catalog.copies(row.id)) {
        if (copy.state == CopyState::deleted || copy.state == CopyState::failed) continue;
        if (!storage.empty() && copy.storage != storage) continue;
        refuse_when_stopped(context);
        std::optional<std::string> mark;
        try {
            OwnStorage own(context, open_storage(copy));
            mark = find_reading_mark(own.storage, row.archive_key, context.clock.now());
        } catch (const bk::Error& error) {
            if (error.cancelled()) throw;
        }
        if (mark) throw being_read(row.id, copy.storage, *mark);
    }
}

/// Gives why it could not be done; "" when nothing is left.
std::string remove_copy(const JobContext& context, const OpenStorage& open_storage,
                        const BackupRow& row, const CopyRow& copy) {
    try {
        OwnStorage own(context, open_storage(copy));
        if (const auto mark = find_reading_mark(own.storage, row.archive_key, context.clock.now()))
            throw being_read(row.id, copy.storage, *mark);
        remove_archive(own.storage, row.archive_key);
        return {};
    } catch (const bk::Error& error) {
        if (error.cancelled()) throw;
        return error.what();
    }
}

/// Removes every copy that is `deleting`; the lease is given back with the last step.
void remove_copies(const JobContext& context, const OpenStorage& open_storage, const Lease& lease,
                   const std::string& id) {
    LeaseKeeper keeper(context.catalog, lease, [] {});
    const BackupRow row = *context.catalog.backup(id);
    std::vector<CopyRow> copies = context.catalog.copies(id);
    std::erase_if(copies, [](const CopyRow& copy) { return copy.state != CopyState::deleting; });
    for (CopyRow& copy : copies) {
        refuse_when_stopped(context);
        copy.error = remove_copy(context, open_storage, row, copy);
        if (copy.error.empty())
            copy.state = CopyState::deleted;
        else
            context.log.warn("backup '" + id + "' is not deleted yet: " + copy.error);
    }
    context.catalog.settle_copies(id, copies, lease);
}

DeleteOutcome outcome_of(const JobContext& context, const std::string& id) {
    DeleteOutcome outcome{*context.catalog.backup(id), context.catalog.copies(id), false};
    outcome.complete = std::ranges::none_of(
        outcome.copies, [](const CopyRow& copy) { return copy.state == CopyState::deleting; });
    return outcome;
}

} // namespace

DeleteOutcome delete_backup(const JobContext& context, const OpenStorage& open_storage,
                            const std::string& id, const std::string& storage) {
    const std::optional<BackupRow> row = context.catalog.backup(id);
    if (row && row->state == BackupState::deleted) return outcome_of(context, id);
    if (row && row->state != BackupState::deleting && !is_active(row->state))
        refuse_readers(context, open_storage, *row, storage);
    remove_copies(context, open_storage, context.catalog.begin_deletion(id, storage), id);
    return outcome_of(context, id);
}

bool resume_deletion(const JobContext& context, const OpenStorage& open_storage,
                     const std::string& id) {
    const std::optional<Lease> lease = context.catalog.try_acquire_backup(id);
    if (!lease) return false; // somebody else is at it
    remove_copies(context, open_storage, *lease, id);
    return outcome_of(context, id).complete;
}

} // namespace bkhost
