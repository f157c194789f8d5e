// bkhost init and bkhost check.
#include "host/commands/commands.hpp"
#include "host/commands/output.hpp"
#include "host/config/starter.hpp"
#include "host/render/error_text.hpp"

#include <nlohmann/json.hpp>

namespace bkhost {

using Json = nlohmann::ordered_json;

int init_command(Session& session, const std::string& path) {
    write_starter(path);
    if (session.options().json)
        print(Json{{"written", path}}.dump(1) + "\n");
    else
        session.log().info("wrote '" + path +
                           "': edit it, then try 'bkhost check' and 'bkhost run'");
    return kExitDone;
}

int check_command(Session& session) {
    const Config& config = session.config();
    throw_problems(check_config(config, session.registry()));
    if (session.options().json)
        print(Json{{"configuration", config.path.empty() ? Json(nullptr) : Json(config.path)},
                   {"environment", config.environment},
                   {"environment_from", config.environment_origin},
                   {"jobs", config.jobs.size()}}
                  .dump(1) +
              "\n");
    else
        session.log().info(config.path.empty() ? "there is no configuration; see 'bkhost init'"
                                               : "'" + config.path + "' is good: " +
                                                     std::to_string(config.jobs.size()) +
                                                     " jobs, environment '" + config.environment +
                                                     "' (from " + config.environment_origin + ")");
    return kExitDone;
}

} // namespace bkhost
