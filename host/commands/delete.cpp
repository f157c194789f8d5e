// bkhost delete: whole backups, or their copies on one storage.
#include "core/base/text.hpp"
#include "core/job/delete_backup.hpp"
#include "host/commands/backup_choice.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/json_rows.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"
#include "host/render/picker.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <unistd.h>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

/// Every one of them before anything is deleted, so that a wrong id costs nothing.
std::vector<BackupRow> find_rows(Session& session, const std::vector<std::string>& ids) {
    std::vector<BackupRow> rows;
    for (const std::string& id : ids) {
        BackupRow row = session.catalog().find_backup(id);
        if (std::ranges::find(rows, row.id, &BackupRow::id) == rows.end())
            rows.push_back(std::move(row));
    }
    return rows;
}

/// As the rows call it: a storage that the configuration no longer knows can still be named.
std::string storage_name(Session& session, const std::string& text,
                         const std::vector<BackupRow>& rows) {
    if (text.empty()) return {};
    for (const BackupRow& row : rows)
        for (const CopyRow& copy : session.catalog().copies(row.id))
            if (copy.storage == text) return text;
    return session.storage(text).name;
}

void confirm(Session& session, const DeleteOptions& options, const std::vector<BackupRow>& rows,
             const std::string& storage) {
    if (options.force) return;
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0)
        throw bk::Error(BK_E_CONFIG, "delete asks first, and there is no terminal to ask on",
                        "give --force to delete without a question");
    const std::string where = storage.empty() ? "" : " on " + storage;
    for (const BackupRow& row : rows)
        session.log().info(backup_line(row) + "  " + std::string(state_name(row.state)));
    const std::string count =
        rows.size() == 1 ? "this backup" : "these " + std::to_string(rows.size()) + " backups";
    const std::optional<size_t> answer =
        pick({"answer", "--force", {"keep everything", "delete " + count + where + " for good"}},
             session.stop());
    if (!answer || *answer == 0) throw bk::Error(BK_E_CANCELLED, "nothing was deleted");
}

std::string summary(const DeleteOutcome& outcome, const std::string& storage) {
    std::vector<std::string> left;
    for (const CopyRow& copy : outcome.copies)
        if (copy.state == CopyState::deleting) left.push_back(copy.storage);
    const std::string object =
        "backup " + outcome.row.id + (storage.empty() ? "" : " on " + storage);
    return left.empty() ? object + " deleted"
                        : object + " is being deleted; what is left on " + join(left) +
                              " is removed when it can be";
}

} // namespace

int delete_command(Session& session, const DeleteOptions& options) {
    const std::vector<BackupRow> rows = find_rows(session, options.ids);
    const std::string storage = storage_name(session, options.storage, rows);
    confirm(session, options, rows, storage);
    Json backups = Json::array(), errors = Json::array();
    bool incomplete = false;
    for (const BackupRow& row : rows) {
        try {
            const DeleteOutcome outcome =
                delete_backup(session.context(), session.open_storage(), row.id, storage);
            incomplete = incomplete || !outcome.complete;
            backups.push_back(backup_json(outcome.row, outcome.copies));
            if (!session.options().json) session.log().info(summary(outcome, storage));
        } catch (const bk::Error& error) {
            if (error.cancelled() || rows.size() == 1) throw;
            session.log().write(LogLevel::error,
                                std::string(error.what()) +
                                    (error.hint().empty() ? "" : "; " + error.hint()));
            errors.push_back({{"id", row.id},
                              {"status", bk::status_name(error.status())},
                              {"message", error.what()},
                              {"hint", error.hint()}});
        }
    }
    if (session.options().json)
        print(Json{{"backups", backups}, {"errors", errors}}.dump(1) + "\n");
    if (backups.empty()) return kExitFailed;
    return incomplete || !errors.empty() ? kExitPartial : kExitDone;
}

} // namespace bkhost
