// The configuration against the installed drivers and against itself, offline.
#include "host/config/block_options.hpp"
#include "host/config/config.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <set>

namespace bkhost {
namespace {

/// Collects all problems. Confined.
class ConfigChecker {
public:
    ConfigChecker(const Config& config, Registry& registry)
        : config_(config), registry_(registry) {}

    std::vector<ConfigProblem> check() {
        for (const StorageConfig& storage : config_.storages)
            check_block(kStorage, storage.block);
        for (const SourceConfig& source : config_.sources)
            check_block(kDumper, source.block);
        for (const Block& block : config_.decrypt)
            check_block(kEncryptor, block);
        for (const JobConfig& job : config_.jobs)
            check_job(job);
        std::stable_sort(problems_.begin(), problems_.end(),
                         [](const auto& a, const auto& b) { return a.line < b.line; });
        return std::move(problems_);
    }

private:
    void problem(int line, const std::string& what, const std::string& hint) {
        problems_.push_back({config_.path, line, what, hint});
    }

    void check_block(std::string_view kind, const Block& block) {
        try {
            const DriverDescription& driver = registry_.describe(kind, block.driver);
            BlockReading reading = read_block(block, driver.options, nullptr);
            problems_.insert(problems_.end(), reading.problems.begin(), reading.problems.end());
        } catch (const bk::Error& error) { // no such driver, or one that declares nonsense
            problem(block.line, block.object + ": " + error.message(), error.hint());
        }
    }

    void check_job(const JobConfig& job) {
        const std::string who = "job '" + job.name + "'";
        if (job.source.empty())
            problem(job.line, who + " has no source", "source: NAME, one of sources");
        else
            check_name(job, job.source, "source", config_.sources);
        if (job.compress) check_block(kCompressor, *job.compress);
        if (job.encrypt) check_block(kEncryptor, *job.encrypt);
        check_stores(job, who);
        for (const std::string& table : job.include_tables)
            if (std::count(job.exclude_tables.begin(), job.exclude_tables.end(), table) != 0)
                problem(job.line, who + " both includes and excludes the table '" + table + "'",
                        "");
    }

    void check_stores(const JobConfig& job, const std::string& who) {
        if (job.store.empty())
            problem(job.line, who + " has no store", "store: NAME, one or more of storages");
        std::set<std::string> seen;
        for (const std::string& store : job.store) {
            if (!seen.insert(store).second)
                problem(job.line, who + " names the storage '" + store + "' twice",
                        "two copies need two storages");
            else
                check_name(job, store, "storage", config_.storages);
        }
        const auto copies = parse_int(job.store_policy);
        if (copies && *copies > static_cast<int64_t>(job.store.size()))
            problem(job.line,
                    "store-policy of " + who + " asks for " + job.store_policy +
                        " copies, but store names " + std::to_string(job.store.size()),
                    "write all, or a number up to that");
    }

    template <class Named>
    void check_name(const JobConfig& job, const std::string& name, const std::string& what,
                    const std::vector<Named>& all) {
        std::vector<std::string> names;
        for (const Named& one : all)
            names.push_back(one.name);
        if (std::find(names.begin(), names.end(), name) != names.end()) return;
        const std::string meant = nearest(name, names);
        std::string hint =
            names.empty() ? "no " + what + " is configured" : "there are: " + join(names);
        if (!meant.empty()) hint = "did you mean '" + meant + "'?";
        problem(job.line,
                "job '" + job.name + "' names the " + what + " '" + name + "', which is not there",
                hint);
    }

    const Config& config_;
    Registry& registry_;
    std::vector<ConfigProblem> problems_;
};

} // namespace

std::vector<ConfigProblem> check_config(const Config& config, Registry& registry) {
    return ConfigChecker(config, registry).check();
}

} // namespace bkhost
