// bkhost reindex: the index of an archive anew from its volumes.
#include "core/job/reindex.hpp"
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

/// What --encrypt says, else the block of the job that made the backup.
EncryptFor encrypt_for(Session& session, const std::string& given) {
    return [&session, given](const Manifest& manifest) -> std::optional<DriverSpec> {
        if (!given.empty()) return session.location(kEncryptor, given);
        for (const JobConfig& job : session.config().jobs)
            if (job.name == manifest.job && job.encrypt)
                return session.spec(kEncryptor, *job.encrypt);
        return std::nullopt;
    };
}

std::string summary(const ReindexResult& result) {
    const std::string which = "backup " + result.id + " on " + result.storage;
    if (result.whole) return "the index of " + which + " is whole: nothing was done";
    return "the index of " + which + " was made anew: " + std::to_string(result.frames) +
           " frames, " + std::to_string(result.sections) +
           " sections; row proofs and digests, warnings and what the dumper noted for later are "
           "lost, "
           "and earlier results of 'verify' do not count for it";
}

} // namespace

int reindex_command(Session& session, const ReindexOptions& options) {
    const ChosenBackup chosen = choose_backup(session, options.choice);
    const DecryptOptions decrypt = session.decrypt(options.choice.identities);
    const EncryptFor encrypt = encrypt_for(session, options.encrypt);
    session.start_progress();
    Json results = Json::array();
    for (const ArchivePlace& place : chosen.places) {
        const ReindexResult result = reindex_archive(session.context(), place, decrypt, encrypt);
        results.push_back({{"id", result.id},
                           {"storage", result.storage},
                           {"rebuilt", !result.whole},
                           {"index", result.whole ? Json(nullptr) : Json(result.index)},
                           {"frames", result.frames},
                           {"sections", result.sections},
                           {"manifest_sha256", result.manifest_sha256}});
        if (!session.options().json) session.log().info(summary(result));
    }
    session.stop_progress();
    if (session.options().json) print(Json{{"results", std::move(results)}}.dump(1) + "\n");
    return kExitDone;
}

} // namespace bkhost
