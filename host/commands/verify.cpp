// bkhost verify: every copy of a backup, or one.
#include "core/job/verify.hpp"
#include "core/base/text.hpp"
#include "host/commands/backup_choice.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

VerifyLevel level_of(const std::string& text) {
    for (const auto& level : kVerifyLevels)
        if (level.name == text && level.state != VerifyLevel::none &&
            level.state != VerifyLevel::drill)
            return level.state;
    throw bk::Error(BK_E_CONFIG, "--level takes quick, stored or full, not '" + text + "'");
}

Json result_json(const VerifyResult& result) {
    Json problems = Json::array();
    for (const VerifyProblem& problem : result.problems)
        problems.push_back({{"object", problem.object}, {"text", problem.text}});
    return {{"id", result.id},
            {"storage", result.storage},
            {"level", state_name(result.level)},
            {"outcome", state_name(result.outcome)},
            {"bytes_read", result.bytes_read},
            {"duration_ms", result.duration_ms},
            {"problems", std::move(problems)}};
}

} // namespace

int verify_command(Session& session, const VerifyOptions& options) {
    const VerifyLevel level = level_of(options.level);
    const uint64_t memory = session.memory(options.memory);
    const ChosenBackup chosen = choose_backup(session, options.choice);
    session.start_progress();
    Json results = Json::array();
    int status = kExitDone;
    for (const ArchivePlace& place : chosen.places) {
        const VerifyResult result = verify_archive(
            session.context(), place, level, session.decrypt(options.choice.identities), memory);
        results.push_back(result_json(result));
        for (const VerifyProblem& problem : result.problems)
            session.log().write(LogLevel::error, problem.text);
        if (result.outcome == VerifyOutcome::failed)
            status = kExitDamaged;
        else if (result.outcome != VerifyOutcome::ok && status == kExitDone)
            status = kExitFailed;
        if (!session.options().json)
            session.log().info("backup " + result.id + " on " + result.storage + ": " +
                               std::string(state_name(level)) + " " +
                               std::string(state_name(result.outcome)) + " (" +
                               format_bytes(result.bytes_read) + " read in " +
                               format_duration(result.duration_ms) + ")");
    }
    session.stop_progress();
    if (session.options().json) print(Json{{"results", std::move(results)}}.dump(1) + "\n");
    return status;
}

} // namespace bkhost
