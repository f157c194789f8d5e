// bkhost run: backs up configured jobs, or what one line says.
#include "core/archive/naming.hpp"
#include "core/base/text.hpp"
#include "core/job/backup.hpp"
#include "host/commands/commands.hpp"
#include "host/commands/json_rows.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>

namespace bkhost {
namespace {

/// Bytes a second, 0 for none.
uint64_t rate_option(const std::string& text, uint64_t otherwise) {
    const uint64_t rate =
        text == "unlimited" ? kUnlimited : size_option(text, "--max-rate", otherwise);
    return rate >= kUnlimited ? 0 : rate;
}

/// Milliseconds, 0 for none.
int64_t timeout_option(const std::string& text, int64_t otherwise) {
    if (text.empty()) return otherwise;
    if (text == "unlimited") return 0;
    const std::optional<int64_t> time = parse_duration(text);
    if (!time || *time == 0)
        throw bk::Error(BK_E_CONFIG, "--timeout takes a duration, not '" + text + "'",
                        "for example 90s, 30m, 2h or 1h30m; unlimited for none");
    return *time;
}

/// What the command line says, above what `job` says.
void set_limits(BackupRequest& request, const RunOptions& options, const JobConfig& job = {}) {
    request.max_rate = rate_option(options.max_rate, job.max_rate);
    request.timeout_ms = timeout_option(options.timeout, job.timeout_ms);
    request.retries = options.retries.value_or(job.retries);
}

size_t copies_required(const std::string& policy, size_t storages) {
    if (policy == "all") return storages;
    if (policy == "any") return 1;
    return static_cast<size_t>(parse_int(policy).value_or(static_cast<int64_t>(storages)));
}

BackupRequest request_of(Session& session, const JobConfig& job, const RunOptions& options) {
    const Config& config = session.config();
    BackupRequest request;
    request.job = job.name;
    request.source_name = job.source;
    request.environment = config.environment;
    request.source = session.spec(kDumper, config.source(job.source).block);
    if (job.compress) request.compress = session.spec(kCompressor, *job.compress);
    if (job.encrypt) request.encrypt = session.spec(kEncryptor, *job.encrypt);
    for (const std::string& name : job.store)
        request.storages.push_back({name, session.spec(kStorage, config.storage(name).block)});
    request.copies_required = copies_required(job.store_policy, job.store.size());
    request.volume_size = size_option(options.volume_size, "--volume-size",
                                      job.volume_size > 0 ? job.volume_size : kDefaultVolumeSize);
    request.memory =
        options.memory.empty() && job.memory > 0 ? job.memory : session.memory(options.memory);
    request.workers = options.workers;
    request.include_tables = job.include_tables;
    request.exclude_tables = job.exclude_tables;
    request.notes = options.notes;
    set_limits(request, options, job);
    return request;
}

/// "shop" of sqlite:/data/shop.db: the last part of what is dumped, without its suffix.
std::string source_name(Session& session, const DriverSpec& spec) {
    std::string target;
    for (const OptionInfo& option : session.registry().describe(kDumper, spec.driver).options)
        if ((option.flags & BK_OPT_URL_TARGET) != 0 && spec.options.contains(option.key))
            target = spec.options.at(option.key).front();
    target = target.substr(target.rfind('/') + 1);
    if (const size_t dot = target.rfind('.'); dot != std::string::npos && dot > 0)
        target.resize(dot);
    std::string name;
    for (char c : target.substr(0, 64)) {
        const std::string one(1, c);
        name += is_archive_name("a" + one) ? c : '_';
    }
    while (!name.empty() && name.front() == '.')
        name.erase(0, 1);
    return name.empty() ? "database" : name;
}

BackupRequest ad_hoc_request(Session& session, const RunOptions& options) {
    const Config& config = session.config();
    BackupRequest request;
    request.source = session.location(kDumper, options.from);
    request.source_name =
        options.name.empty() ? source_name(session, request.source) : options.name;
    request.environment = config.environment;
    if (options.compress != "none")
        request.compress =
            session.location(kCompressor, options.compress.empty() ? "zstd" : options.compress);
    if (!options.encrypt.empty() && options.encrypt != "none")
        request.encrypt = session.location(kEncryptor, options.encrypt);
    for (const std::string& to : options.to)
        request.storages.push_back(session.storage(to));
    request.copies_required = request.storages.size();
    request.volume_size = size_option(options.volume_size, "--volume-size", kDefaultVolumeSize);
    request.memory = session.memory(options.memory);
    request.workers = options.workers;
    request.notes = options.notes;
    set_limits(request, options);
    return request;
}

std::vector<BackupRequest> requests(Session& session, const RunOptions& options) {
    if (!options.from.empty()) {
        if (!options.jobs.empty())
            throw bk::Error(BK_E_CONFIG, "jobs and --from cannot be given together",
                            "name jobs of the configuration, or say it all with --from and --to");
        if (options.to.empty())
            throw bk::Error(BK_E_CONFIG, "--from needs --to", "for example --to /var/backups");
        return {ad_hoc_request(session, options)};
    }
    if (!options.to.empty() || !options.encrypt.empty() || !options.compress.empty() ||
        !options.name.empty())
        throw bk::Error(BK_E_CONFIG, "--to, --encrypt, --compress and --name go with --from",
                        "what a configured job does stands in the configuration");
    const Config& config = session.config();
    throw_problems(check_config(config, session.registry()));
    std::vector<BackupRequest> all;
    for (const std::string& name : options.jobs)
        all.push_back(request_of(session, config.job(name), options));
    if (options.jobs.empty())
        for (const JobConfig& job : config.jobs)
            all.push_back(request_of(session, job, options));
    if (all.empty())
        throw bk::Error(
            BK_E_CONFIG,
            config.path.empty() ? "there is no configuration and no --from"
                                : "configuration '" + config.path + "' has no jobs",
            "write one with 'bkhost init', or run --from sqlite:/path/to.db --to /var/backups");
    return all;
}

std::string summary(const BackupOutcome& outcome) {
    const BackupRow& row = outcome.row;
    std::vector<std::string> stored, missing;
    for (const CopyRow& copy : outcome.copies)
        (copy.state == CopyState::stored ? stored : missing).push_back(copy.storage);
    std::string text = "backup " + row.id + " of '" + row.source +
                       "' completed: " + format_bytes(static_cast<uint64_t>(row.plain_size)) +
                       " stored as " + format_bytes(static_cast<uint64_t>(row.stored_size)) +
                       " in " + format_duration(row.duration_ms()) + " on " + join(stored) + "\n";
    if (!missing.empty()) text += "  missing on " + join(missing) + "\n";
    return text;
}

} // namespace

int run_command(Session& session, const RunOptions& options) {
    using Json = nlohmann::ordered_json;
    const std::vector<BackupRequest> all = requests(session, options);
    (void)session.catalog();
    session.start_progress();
    Json backups = Json::array(), errors = Json::array();
    std::optional<bk::Error> first;
    bool partial = false;
    for (const BackupRequest& request : all) {
        try {
            const BackupOutcome outcome = run_backup(session.context(), request);
            partial = partial || outcome.partial;
            backups.push_back(backup_json(outcome.row, outcome.copies));
            if (!session.options().json) session.log().info(summary(outcome));
        } catch (const bk::Error& error) {
            if (error.cancelled() || all.size() == 1) throw;
            session.log().write(LogLevel::error,
                                std::string(error.what()) +
                                    (error.hint().empty() ? "" : "; " + error.hint()));
            errors.push_back({{"job", request.job},
                              {"status", bk::status_name(error.status())},
                              {"message", error.what()},
                              {"hint", error.hint()}});
            if (!first) first = error;
        }
    }
    session.stop_progress();
    if (session.options().json)
        print(Json{{"backups", backups}, {"errors", errors}}.dump(1) + "\n");
    if (backups.empty()) return kExitFailed;
    return partial || first ? kExitPartial : kExitDone;
}

} // namespace bkhost
