// The small parts of the configuration's structs: look-up by name, rules for names, problems as
// text.
#include "host/config/config.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <utility>

namespace bkhost {
namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789_-";
constexpr std::string_view kName =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
constexpr size_t kMaxName = 64;

template <class Named>
const Named& by_name(const std::vector<Named>& all, std::string_view name, const char* what,
                     const std::string& path) {
    std::vector<std::string> names;
    for (const Named& one : all) {
        if (one.name == name) return one;
        names.push_back(one.name);
    }
    const std::string meant = nearest(name, names);
    std::string hint =
        names.empty() ? std::string("none is configured") : "there are: " + join(names);
    if (!meant.empty()) hint = "did you mean '" + meant + "'?";
    throw bk::Error(BK_E_CONFIG,
                    std::string("no ") + what + " '" + std::string(name) + "' in " +
                        (path.empty() ? "the configuration: no file was found" : path),
                    hint);
}

} // namespace

const SourceConfig& Config::source(std::string_view name) const {
    return by_name(sources, name, "source", path);
}
const StorageConfig& Config::storage(std::string_view name) const {
    return by_name(storages, name, "storage", path);
}
const JobConfig& Config::job(std::string_view name) const {
    return by_name(jobs, name, "job", path);
}

std::string ConfigProblem::text() const {
    std::string place = file;
    if (line > 0) place.append(":").append(std::to_string(line));
    return place + ": " + what + (hint.empty() ? "" : "; " + hint);
}

void throw_problems(const std::vector<ConfigProblem>& problems) {
    if (problems.empty()) return;
    if (problems.size() == 1) {
        ConfigProblem only = problems.front();
        const std::string hint = std::exchange(only.hint, "");
        throw bk::Error(BK_E_CONFIG, only.text(), hint);
    }
    std::string all = std::to_string(problems.size()) + " problems in the configuration";
    for (const ConfigProblem& problem : problems)
        all += "\n  " + problem.text();
    throw bk::Error(BK_E_CONFIG, all);
}

bool is_config_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMaxName && text[0] != '.' &&
           text.find_first_not_of(kName) == std::string_view::npos;
}

bool is_environment_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMaxName &&
           text.find_first_not_of(kLower) == std::string_view::npos;
}

} // namespace bkhost
