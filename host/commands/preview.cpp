// bkhost restore --dry-run: what would be restored, from where, over what, and in what time.
#include "core/job/preview.hpp"
#include "core/base/text.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/output.hpp"
#include "host/commands/preview.hpp"
#include "host/render/error_text.hpp"
#include "host/render/table.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

/// What would become of the target.
const char* effect(const RestorePreview& preview, bool replace) {
    if (!preview.obstacles.empty()) return "none";
    if (!preview.target.exists) return "made";
    const bool over = preview.target.whole_file || !preview.target.in_the_way.empty();
    return replace && over ? "replaced" : "filled";
}

Json number(const std::optional<uint64_t>& value) { return value ? Json(*value) : Json(nullptr); }

Json items_json(const RestorePreview& preview) {
    if (!preview.index_read) return nullptr;
    Json items = Json::array();
    for (const PreviewItem& item : preview.items)
        items.push_back({{"kind", item.kind},
                         {"namespace", item.namespace_name},
                         {"name", item.name},
                         {"bytes", number(item.bytes)},
                         {"rows", number(item.rows)}});
    return items;
}

Json document(const RestorePreview& preview, const RestoreRequest& request) {
    const Manifest& manifest = preview.manifest;
    const PreviewTarget& target = preview.target;
    Json obstacles = Json::array();
    for (const bk::Error& error : preview.obstacles)
        obstacles.push_back({{"status", bk::status_name(error.status())},
                             {"message", error.message()},
                             {"hint", error.hint()}});
    return {{"backup_id", manifest.id},
            {"source", manifest.source},
            {"environment", manifest.environment},
            {"started_at", format_time(manifest.started_ms)},
            {"engine", {{"name", manifest.engine.name}, {"version", manifest.engine.version}}},
            {"storage", preview.storage},
            {"objects", preview.objects},
            {"bytes_to_fetch", preview.bytes_to_fetch},
            {"bytes_to_load", preview.bytes_to_load},
            {"at_most", preview.at_most},
            {"tables_wanted", request.tables},
            {"left_out", preview.left_out},
            {"rows", number(manifest.rows)},
            {"sections", items_json(preview)},
            {"target",
             {{"location", request.target_text},
              {"exists", target.exists},
              {"engine", target.engine.empty() ? Json(nullptr) : Json(target.engine)},
              {"version", target.version.empty() ? Json(nullptr) : Json(target.version)},
              {"size", target.size > 0 ? Json(target.size) : Json(nullptr)},
              {"tables", target.tables},
              {"in_the_way", target.in_the_way},
              {"effect", effect(preview, request.replace)}}},
            {"predicted_ms", preview.prediction.duration_ms ? Json(*preview.prediction.duration_ms)
                                                            : Json(nullptr)},
            {"prediction", preview.prediction.basis},
            {"obstacles", std::move(obstacles)}};
}

std::string target_text(const RestorePreview& preview, const RestoreRequest& request) {
    const PreviewTarget& target = preview.target;
    if (!target.exists) return request.target_text + ", which is not there and would be made";
    std::string text = request.target_text;
    if (target.size > 0) text += ", " + format_bytes(target.size);
    text += ", " + std::to_string(target.tables.size()) + " tables";
    if (!target.tables.empty()) text += " (" + join(target.tables) + ")";
    if (request.replace && preview.obstacles.empty())
        text +=
            target.whole_file ? "; --replace replaces the whole file" : "; --replace replaces them";
    return text;
}

std::string time_text(const Prediction& prediction) {
    if (!prediction.duration_ms) return "unknown: " + prediction.basis;
    return "about " + format_duration(*prediction.duration_ms) + ", " + prediction.basis;
}

std::string size_text(const std::optional<uint64_t>& bytes) {
    return bytes ? format_bytes(*bytes) : "-";
}

std::string text(const RestorePreview& preview, const RestoreRequest& request) {
    const Manifest& manifest = preview.manifest;
    std::string size = format_bytes(preview.bytes_to_load);
    if (manifest.rows) size.append(", ").append(std::to_string(*manifest.rows)).append(" rows");
    const std::string fetch = std::string(preview.at_most ? "at most " : "") +
                              format_bytes(preview.bytes_to_fetch) + " in " +
                              std::to_string(preview.objects) + " objects on " + preview.storage;
    std::string out =
        format_fields({{"backup", manifest.id + " of '" + manifest.source + "', environment '" +
                                      manifest.environment + "'"},
                       {"engine", manifest.engine.name + " " + manifest.engine.version},
                       {"size", size},
                       {"to fetch", fetch},
                       {"target", target_text(preview, request)},
                       {"time", time_text(preview.prediction)}});
    if (!preview.items.empty()) {
        Table table({{"KIND"}, {"NAME"}, {"ROWS", Align::right}, {"SIZE", Align::right}});
        for (const PreviewItem& item : preview.items)
            table.add({item.kind,
                       (item.namespace_name.empty() ? "" : item.namespace_name + ".") + item.name,
                       item.rows ? std::to_string(*item.rows) : "-", size_text(item.bytes)});
        out.append("\n").append(table.text());
    }
    return out;
}

} // namespace

int preview_command(Session& session, const RestoreRequest& request) {
    const RestorePreview preview = preview_restore(session.context(), request);
    session.stop_progress();
    for (const std::string& line : preview.left_out)
        session.log().warn(line);
    print(session.options().json ? document(preview, request).dump(1) + "\n"
                                 : text(preview, request));
    for (const bk::Error& error : preview.obstacles)
        session.log().write(LogLevel::error,
                            error.message() + (error.hint().empty() ? "" : "; " + error.hint()));
    if (!session.options().json)
        session.log().info(preview.obstacles.empty() ? "nothing was restored: this is a preview"
                                                     : "a restore would fail");
    return preview.obstacles.empty() ? kExitDone : kExitFailed;
}

} // namespace bkhost
