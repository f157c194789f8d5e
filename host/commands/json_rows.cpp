#include "host/commands/json_rows.hpp"

#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

Json time_json(TimeMs time) { return time == 0 ? Json(nullptr) : Json(format_time(time)); }
Json text_json(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json copy_json(const CopyRow& copy) {
    return {{"storage", copy.storage},
            {"driver", copy.location.driver},
            {"state", state_name(copy.state)},
            {"size", copy.size},
            {"verified_level", state_name(copy.verified_level)},
            {"verified_outcome", state_name(copy.verified_outcome)},
            {"verified_at", time_json(copy.verified_ms)},
            {"error", text_json(copy.error)}};
}

} // namespace

Json backup_json(const BackupRow& row, const std::vector<CopyRow>& copies) {
    Json list = Json::array();
    for (const CopyRow& copy : copies)
        list.push_back(copy_json(copy));
    return {{"id", row.id},
            {"state", state_name(row.state)},
            {"job", text_json(row.job)},
            {"source", row.source},
            {"tenant", text_json(row.tenant)},
            {"environment", row.environment},
            {"type", row.type},
            {"engine", row.engine},
            {"engine_version", row.engine_version},
            {"format", row.format},
            {"started_at", time_json(row.started_ms)},
            {"finished_at", time_json(row.finished_ms)},
            {"duration_ms", row.duration_ms()},
            {"plain_size", row.plain_size},
            {"stored_size", row.stored_size},
            {"ratio", row.ratio()},
            {"rows", row.rows},
            {"compression", text_json(row.compression)},
            {"encryption", text_json(row.encryption)},
            {"key_fingerprints", row.key_ids},
            {"manifest_sha256", text_json(row.manifest_sha256)},
            {"archive", row.archive_key},
            {"host", row.host_name},
            {"initiated_by", row.initiated_by},
            {"notes", text_json(row.notes)},
            {"warnings", row.warnings},
            {"error", text_json(row.error)},
            {"hint", text_json(row.hint)},
            {"copies", std::move(list)}};
}

Json restore_json(const RestoreRow& row) {
    return {{"id", row.id},
            {"backup_id", row.backup_id},
            {"state", state_name(row.state)},
            {"storage", row.source},
            {"target", row.target},
            {"tables", row.tables},
            {"started_at", time_json(row.started_ms)},
            {"finished_at", time_json(row.finished_ms)},
            {"duration_ms", row.duration_ms()},
            {"bytes", row.bytes},
            {"rows", row.rows},
            {"error", text_json(row.error)},
            {"hint", text_json(row.hint)}};
}

} // namespace bkhost
