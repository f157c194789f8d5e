// bkhost list and bkhost show.
#include "core/base/text.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/json_rows.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"
#include "host/render/table.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <map>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

std::string size_text(int64_t bytes) {
    return bytes > 0 ? format_bytes(static_cast<uint64_t>(bytes)) : "-";
}
std::string time_text(TimeMs time) {
    if (time == 0) return "-";
    std::string text = format_time(time).substr(0, 19);
    text[10] = ' ';
    return text;
}

std::string verified_text(const std::vector<CopyRow>& copies) {
    VerifyLevel best = VerifyLevel::none;
    for (const CopyRow& copy : copies) {
        if (copy.state == CopyState::deleting || copy.state == CopyState::deleted) continue;
        if (copy.verified_outcome == VerifyOutcome::failed) return "FAILED";
        if (copy.verified_outcome == VerifyOutcome::ok && copy.state == CopyState::stored)
            best = std::max(best, copy.verified_level);
    }
    return std::string(state_name(best));
}

std::string ratio_text(double ratio) {
    if (ratio <= 0) return "-";
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f", ratio);
    return text.data();
}

BackupFilter filter_of(Session& session, const ListOptions& options) {
    BackupFilter filter;
    if (!options.all) filter.environment = session.config().environment;
    if (!options.source.empty()) filter.source = options.source;
    if (!options.job.empty()) filter.job = options.job;
    if (!options.storage.empty()) filter.storage = options.storage;
    if (options.limit > 0) filter.limit = options.limit;
    if (!options.all)
        filter.states = {BackupState::pending,     BackupState::running, BackupState::verifying,
                         BackupState::completed,   BackupState::failed,  BackupState::cancelled,
                         BackupState::interrupted, BackupState::deleting};
    return filter;
}

} // namespace

int list_command(Session& session, const ListOptions& options) {
    const BackupFilter filter = filter_of(session, options);
    const std::vector<BackupRow> rows = session.catalog().list(filter);
    std::map<std::string, std::vector<CopyRow>> copies;
    for (CopyRow& copy : session.catalog().copies(filter))
        copies[copy.backup_id].push_back(copy);
    if (session.options().json) {
        Json list = Json::array();
        for (const BackupRow& row : rows)
            list.push_back(backup_json(row, copies[row.id]));
        print(Json{{"backups", std::move(list)}}.dump(1) + "\n");
        return kExitDone;
    }
    if (rows.empty()) {
        session.log().info(options.all
                               ? "no backups yet"
                               : "no backups in environment '" + session.config().environment +
                                     "' (--all shows every environment)");
        return kExitDone;
    }
    Table table({{"ID"},
                 {"SOURCE"},
                 {"ENVIRONMENT"},
                 {"STARTED (UTC)"},
                 {"STATE"},
                 {"SIZE", Align::right},
                 {"STORED", Align::right},
                 {"VERIFIED"},
                 {"STORAGES"}});
    for (const BackupRow& row : rows) {
        std::vector<std::string> storages;
        for (const CopyRow& copy : copies[row.id])
            if (copy.state == CopyState::stored) storages.push_back(copy.storage);
        table.add({row.id, row.source, row.environment, time_text(row.started_ms),
                   std::string(state_name(row.state)), size_text(row.plain_size),
                   size_text(row.stored_size), verified_text(copies[row.id]),
                   storages.empty() ? "-" : join(storages)});
    }
    print(table.text());
    return kExitDone;
}

int show_command(Session& session, const std::string& id) {
    const BackupRow row = session.catalog().find_backup(id);
    const std::vector<CopyRow> copies = session.catalog().copies(row.id);
    if (session.options().json) {
        print(backup_json(row, copies).dump(1) + "\n");
        return kExitDone;
    }
    std::vector<Field> fields{
        {"id", row.id},
        {"state", std::string(state_name(row.state))},
        {"source", row.source},
        {"environment", row.environment},
        {"engine", row.engine + " " + row.engine_version + ", format " + row.format},
        {"started", time_text(row.started_ms)},
        {"duration", row.duration_ms() > 0 ? format_duration(row.duration_ms()) : "-"},
        {"size", size_text(row.plain_size)},
        {"stored", size_text(row.stored_size) + ", ratio " + ratio_text(row.ratio())},
        {"rows", row.rows > 0 ? std::to_string(row.rows) : "-"},
        {"compression", row.compression.empty() ? "none" : row.compression},
        {"encryption", row.encryption.empty() ? "none" : row.encryption}};
    for (const std::string& key : row.key_ids)
        fields.push_back({"key", key});
    if (!row.job.empty()) fields.push_back({"job", row.job});
    fields.push_back({"archive", row.archive_key});
    fields.push_back(
        {"made on", row.host_name + " by " + row.initiated_by + ", " + row.bkhost_version});
    for (const CopyRow& copy : copies)
        fields.push_back(
            {"copy", copy.storage + ": " + std::string(state_name(copy.state)) +
                         (copy.verified_level == VerifyLevel::none
                              ? ""
                              : ", verified " + std::string(state_name(copy.verified_level)) + " " +
                                    std::string(state_name(copy.verified_outcome)) + " " +
                                    time_text(copy.verified_ms)) +
                         (copy.error.empty() ? "" : ": " + copy.error)});
    for (const std::string& warning : row.warnings)
        fields.push_back({"warning", warning});
    if (!row.notes.empty()) fields.push_back({"notes", row.notes});
    if (!row.error.empty()) fields.push_back({"error", row.error});
    if (!row.hint.empty()) fields.push_back({"hint", row.hint});
    print(format_fields(fields));
    return kExitDone;
}

} // namespace bkhost
