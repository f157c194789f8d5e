// bkhost restore and bkhost cat.
#include "core/job/restore.hpp"
#include "core/base/text.hpp"
#include "core/driver/location.hpp"
#include "host/commands/backup_choice.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/json_rows.hpp"
#include "host/commands/output.hpp"
#include "host/commands/preview.hpp"
#include "host/render/error_text.hpp"
#include "host/render/picker.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <unistd.h>

namespace bkhost {
namespace {

DriverSpec target_spec(Session& session, const RestoreOptions& options,
                       const ChosenBackup& chosen) {
    const Config& config = session.config();
    if (!options.to.empty()) {
        for (const SourceConfig& source : config.sources)
            if (source.name == options.to) return session.spec(kDumper, source.block);
        return session.location(kDumper, options.to);
    }
    for (const SourceConfig& source : config.sources)
        if (source.name == chosen.source) return session.spec(kDumper, source.block);
    throw bk::Error(BK_E_CONFIG, "where to restore backup '" + chosen.id + "' is not said",
                    "give --to, for example --to sqlite:/path/to/restored.db");
}

/// The names of all --tables, each once.
std::vector<std::string> table_names(const std::vector<std::string>& lists) {
    std::vector<std::string> all;
    for (const std::string& list : lists) {
        const std::optional<std::vector<std::string>> names = split_names(list);
        if (!names || names->empty())
            throw bk::Error(BK_E_CONFIG, "--tables '" + list + "' is not a list of names",
                            "write users,posts; a name with a comma goes in double quotes");
        for (const std::string& name : *names)
            if (std::ranges::find(all, name) == all.end()) all.push_back(name);
    }
    return all;
}

/// --replace on a terminal is asked about once, unless --force.
void confirm(Session& session, const RestoreOptions& options, const std::string& target) {
    if (!options.replace || options.force || ::isatty(STDIN_FILENO) == 0 ||
        ::isatty(STDERR_FILENO) == 0)
        return;
    const std::string what =
        options.tables.empty() ? target : join(options.tables) + " in " + target;
    const std::optional<size_t> answer =
        pick({"answer", "--force", {"leave " + target + " as it is", "replace " + what}},
             session.stop());
    if (!answer || *answer == 0) throw bk::Error(BK_E_CANCELLED, "nothing was restored");
}

} // namespace

int restore_command(Session& session, const RestoreOptions& options) {
    if (options.dry_run) session.look_only();
    const ChosenBackup chosen = choose_backup(session, options.choice);
    RestoreRequest request;
    request.backup_id = chosen.id;
    request.places = chosen.places;
    request.decrypt = session.decrypt(options.choice.identities);
    request.target = target_spec(session, options, chosen);
    request.target_text =
        location_text(request.target, session.registry().describe(kDumper, request.target.driver));
    request.environment = session.config().environment;
    request.tables = table_names(options.tables);
    request.replace = options.replace;
    request.sequential = options.sequential;
    request.memory = session.memory(options.memory);
    request.workers = options.workers;
    request.notes = options.notes;
    if (options.dry_run) return preview_command(session, request);
    confirm(session, options, request.target_text);
    session.start_progress();
    const RestoreRow row = run_restore(session.context(), request);
    session.stop_progress();
    if (session.options().json)
        print(restore_json(row).dump(1) + "\n");
    else
        session.log().info(
            "restored " + (row.tables.empty() ? "" : join(row.tables) + " of ") + "backup " +
            chosen.id + " to " + request.target_text + ": " +
            format_bytes(static_cast<uint64_t>(row.bytes)) +
            (row.tables.empty() ? "" : " read, " + std::to_string(row.rows) + " rows") + " in " +
            format_duration(row.duration_ms()) + " from " + row.source);
    return kExitDone;
}

int cat_command(Session& session, const CatOptions& options) {
    if (session.options().json)
        throw bk::Error(BK_E_CONFIG,
                        "cat writes the decoded dump to standard output and takes no --json");
    if (::isatty(STDOUT_FILENO) != 0)
        throw bk::Error(BK_E_CONFIG, "standard output is a terminal",
                        "send it to a file or a program: bkhost cat ID > dump");
    const ChosenBackup chosen = choose_backup(session, options.choice);
    session.start_progress();
    stream_archive(session.context(), chosen.places.front(),
                   session.decrypt(options.choice.identities), session.memory(options.memory),
                   [](std::span<const uint8_t> bytes) {
                       print({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
                   });
    session.stop_progress();
    return kExitDone;
}

} // namespace bkhost
