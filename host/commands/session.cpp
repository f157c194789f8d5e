#include "host/commands/session.hpp"

#include "core/base/text.hpp"
#include "core/driver/location.hpp"
#include "core/job/reap.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <pwd.h>
#include <unistd.h>

namespace bkhost {
namespace {

std::string host_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string user_name() {
    std::array<char, 1024> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
    return found != nullptr ? found->pw_name : std::to_string(::geteuid());
}

/// Adds values of `more` that `options` does not have yet.
void merge(OptionText& options, const OptionText& more) {
    for (const auto& [key, values] : more) {
        std::vector<std::string>& to = options[key];
        for (const std::string& value : values)
            if (std::ranges::find(to, value) == to.end()) to.push_back(value);
    }
}

/// The option of an encryptor that takes the files of --identity.
std::string identity_files_key(Registry& registry, const std::string& driver) {
    for (const OptionInfo& option : registry.describe(kEncryptor, driver).options)
        if ((option.flags & BK_OPT_IDENTITY) != 0 && option.type == BK_OPT_PATH) return option.key;
    throw bk::Error(BK_E_CONFIG, "encryptor '" + driver + "' reads no keys from files",
                    "say how it decrypts in a 'decrypt' block of the configuration, without "
                    "--identity");
}

} // namespace

uint64_t size_option(const std::string& text, const char* option, uint64_t otherwise) {
    if (text.empty()) return otherwise;
    const std::optional<uint64_t> size = parse_size(text);
    if (!size || *size == 0)
        throw bk::Error(BK_E_CONFIG, std::string(option) + " takes a size, not '" + text + "'",
                        "for example 96MiB");
    return *size;
}

Session::Session(GlobalOptions options, std::stop_token stop)
    : options_(std::move(options)), stop_(std::move(stop)), environment_(Environment::process()),
      screen_(STDERR_FILENO), log_(screen_, options_.quiet     ? Verbosity::quiet
                                            : options_.verbose ? Verbosity::verbose
                                                               : Verbosity::normal),
      observer_(progress_) {}

Session::~Session() {
    stop_progress();
    if (registry_) registry_->shutdown();
}

const Config& Session::config() {
    if (!config_) config_ = load_config(options_.config, environment_, options_.environment);
    return *config_;
}

PluginRegistry& Session::registry() {
    if (!registry_)
        registry_ = std::make_unique<PluginRegistry>(PluginSearch{
            .cli_dirs = options_.plugin_dirs, .config_dirs = config().plugin_dirs, .log = log_});
    return *registry_;
}

Catalog& Session::catalog() {
    if (catalog_) return *catalog_;
    catalog_ = std::make_unique<Catalog>(config().catalog_path);
    if (!look_only_) (void)reap(context(), open_storage());
    return *catalog_;
}

JobContext Session::context() {
    return {.registry = registry(),
            .catalog = catalog_ ? *catalog_ : catalog(),
            .log = log_,
            .observer = observer_,
            .stop = stop_,
            .program = std::string("bkhost ") + BKHOST_VERSION,
            .host_name = host_name(),
            .initiated_by = user_name()};
}

void Session::start_progress() {
    const std::optional<ProgressMode> mode = parse_progress_mode(options_.progress);
    if (!mode)
        throw bk::Error(BK_E_CONFIG, "--progress takes auto, plain, json or none, not '" +
                                         options_.progress + "'");
    if (!renderer_ && !options_.quiet)
        renderer_ = std::make_unique<ProgressRenderer>(screen_, *mode, progress_);
}

void Session::stop_progress() {
    if (renderer_) renderer_->stop();
    renderer_.reset();
}

DriverSpec Session::spec(std::string_view kind, const Block& block) {
    return {block.driver,
            resolve(block, registry().describe(kind, block.driver).options, environment_)};
}

uint64_t Session::memory(const std::string& text) {
    return size_option(text, "--memory", config().memory);
}

DriverSpec Session::location(std::string_view kind, const std::string& text) {
    DriverSpec spec = parse_location(registry(), kind, text);
    for (const OptionInfo& option : registry().describe(kind, spec.driver).options)
        if (const auto found = spec.options.find(option.key);
            option.type == BK_OPT_PATH && found != spec.options.end())
            for (std::string& path : found->second)
                if (!path.empty() && path.front() != '~')
                    path = std::filesystem::absolute(path).lexically_normal().string();
    return spec;
}

NamedDriver Session::storage(const std::string& name_or_location) {
    for (const StorageConfig& storage : config().storages)
        if (storage.name == name_or_location) return {storage.name, spec(kStorage, storage.block)};
    const bool is_location = name_or_location.find_first_of(":/") != std::string::npos;
    if (!is_location && !config().storages.empty())
        return {name_or_location, spec(kStorage, config().storage(name_or_location).block)};
    DriverSpec found = location(kStorage, name_or_location);
    std::string name = location_text(found, registry().describe(kStorage, found.driver));
    return {std::move(name), std::move(found)};
}

OpenStorage Session::open_storage() {
    return [this](const CopyRow& copy) -> NamedDriver {
        for (const StorageConfig& storage : config().storages)
            if (storage.name == copy.storage) return {storage.name, spec(kStorage, storage.block)};
        return {copy.storage, copy.location};
    };
}

DecryptOptions Session::decrypt(std::vector<std::string> identity_files) {
    return [this, files = std::move(identity_files)](const std::string& driver) {
        // What was given stands for itself, so that a wrong key is a clear error.
        if (!files.empty()) return OptionText{{identity_files_key(registry(), driver), files}};
        OptionText options;
        for (const Block& block : config().decrypt)
            if (block.driver == driver) merge(options, spec(kEncryptor, block).options);
        for (const JobConfig& job : config().jobs)
            if (job.encrypt && job.encrypt->driver == driver) {
                OptionText own = spec(kEncryptor, *job.encrypt).options;
                for (const OptionInfo& option : registry().describe(kEncryptor, driver).options)
                    if ((option.flags & BK_OPT_IDENTITY) != 0 && own.contains(option.key))
                        merge(options, {{option.key, own[option.key]}});
            }
        return options;
    };
}

} // namespace bkhost
