// bkhost catalog rebuild and bkhost catalog check.
#include "core/job/import.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {

using Json = nlohmann::ordered_json;

namespace {

std::vector<NamedDriver> storages_of(Session& session, const std::vector<std::string>& names) {
    std::vector<NamedDriver> storages;
    for (const std::string& name : names)
        storages.push_back(session.storage(name));
    if (names.empty())
        for (const StorageConfig& storage : session.config().storages)
            storages.push_back(session.storage(storage.name));
    if (storages.empty())
        throw bk::Error(BK_E_CONFIG, "no storage to rebuild the catalog from",
                        "name one: bkhost catalog rebuild --from-storage /var/backups");
    return storages;
}

/// A file that is no longer a catalog is kept beside the new one, never deleted.
void set_damaged_aside(Session& session) {
    try {
        (void)session.catalog();
    } catch (const bk::Error& error) {
        if (error.status() != BK_E_CORRUPT) throw;
        const auto kept = Catalog::set_aside(session.config().catalog_path);
        session.log().warn(std::string(error.what()) + "; it is kept as '" + kept.string() + "'");
    }
}

} // namespace

int catalog_rebuild_command(Session& session, const std::vector<std::string>& names) {
    const std::vector<NamedDriver> storages = storages_of(session, names);
    set_damaged_aside(session);
    session.start_progress();
    Json results = Json::array();
    int status = kExitDone;
    for (const NamedDriver& storage : storages) {
        const ImportResult result = import_storage(session.context(), storage);
        for (const std::string& problem : result.problems)
            session.log().write(LogLevel::error, problem);
        if (!result.problems.empty()) status = kExitPartial;
        results.push_back({{"storage", storage.name},
                           {"archives", result.found},
                           {"added", result.inserted},
                           {"refreshed", result.refreshed},
                           {"problems", result.problems}});
        if (!session.options().json)
            session.log().info("storage '" + storage.name + "': " + std::to_string(result.found) +
                               " archives, " + std::to_string(result.inserted) +
                               " added to the catalog");
    }
    session.stop_progress();
    if (session.options().json) print(Json{{"storages", std::move(results)}}.dump(1) + "\n");
    return status;
}

int catalog_check_command(Session& session) {
    const std::vector<CatalogProblem> problems = session.catalog().check();
    if (session.options().json) {
        Json list = Json::array();
        for (const CatalogProblem& problem : problems)
            list.push_back(
                {{"object", problem.object}, {"message", problem.message}, {"hint", problem.hint}});
        print(Json{{"problems", std::move(list)}}.dump(1) + "\n");
    }
    for (const CatalogProblem& problem : problems)
        session.log().write(LogLevel::error,
                            problem.object + ": " + problem.message + "; " + problem.hint);
    if (problems.empty() && !session.options().json) session.log().info("the catalog is good");
    return problems.empty() ? kExitDone : kExitDamaged;
}

} // namespace bkhost
