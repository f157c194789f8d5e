// One invocation of the program: global options, and what commands share, made when first needed.
#pragma once

#include "core/job/context.hpp"
#include "host/config/config.hpp"
#include "host/plugins/plugin_registry.hpp"
#include "host/render/progress.hpp"
#include "host/render/screen.hpp"
#include "host/render/terminal_log.hpp"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bkhost {

struct GlobalOptions {
    std::optional<std::string> config;      ///< --config
    std::optional<std::string> environment; ///< --environment
    std::vector<std::string> plugin_dirs;
    std::string progress = "auto";
    bool json = false, verbose = false, quiet = false;
};

/// The size that an option was given, or `otherwise` when it was not ("" is not). Throws CONFIG.
[[nodiscard]] uint64_t size_option(const std::string& text, const char* option, uint64_t otherwise);

/// Feeds a ProgressState from a run.
class ProgressObserver final : public RunObserver {
public:
    explicit ProgressObserver(ProgressState& state) : state_(state) {}
    void begin() override { state_.begin(""); }
    void stage(const std::string& text, uint64_t total_bytes) override {
        state_.set_stage(text);
        if (total_bytes > 0) state_.total_bytes = total_bytes;
    }
    void add_plain(uint64_t bytes) override { state_.plain_bytes += bytes; }
    void add_stored(uint64_t bytes) override { state_.stored_bytes += bytes; }
    void add_rows(uint64_t rows) override { state_.rows += rows; }

private:
    ProgressState& state_;
};

/// Confined to the main thread, but for log(). Everything is made at its first use, so that a
/// command that needs no catalog opens none.
class Session {
public:
    Session(GlobalOptions options, std::stop_token stop);
    ~Session();

    [[nodiscard]] const GlobalOptions& options() const noexcept { return options_; }
    [[nodiscard]] std::stop_token stop() const noexcept { return stop_; }
    [[nodiscard]] TerminalLog& log() noexcept { return log_; }
    [[nodiscard]] const Environment& environment() const noexcept { return environment_; }
    [[nodiscard]] const Config& config();
    [[nodiscard]] PluginRegistry& registry();
    /// Opens the catalog and looks after what dead processes left.
    [[nodiscard]] Catalog& catalog();
    /// From now on opening the catalog leaves everything as it is: for commands that promise to
    /// write nothing.
    void look_only() noexcept { look_only_ = true; }
    [[nodiscard]] JobContext context();
    /// Shows progress from now on, until stop_progress().
    void start_progress();
    void stop_progress();

    /// The budget of --memory, or the configuration's when `text` is empty. Throws CONFIG.
    [[nodiscard]] uint64_t memory(const std::string& text);
    [[nodiscard]] NamedDriver storage(const std::string& name_or_location);
    [[nodiscard]] DriverSpec spec(std::string_view kind, const Block& block);
    /// What a URL or path of the command line means; its paths become absolute, since a row that
    /// keeps them is read from other directories.
    [[nodiscard]] DriverSpec location(std::string_view kind, const std::string& text);
    /// How the storage of a copy is opened: by its configured name, else as the row says.
    [[nodiscard]] OpenStorage open_storage();
    /// Identities for a cipher driver: those given, of `decrypt`, and of the jobs' own blocks.
    [[nodiscard]] DecryptOptions decrypt(std::vector<std::string> identity_files);

private:
    const GlobalOptions options_;
    const std::stop_token stop_;
    Environment environment_;
    Screen screen_;
    TerminalLog log_;
    ProgressState progress_;
    ProgressObserver observer_;
    std::unique_ptr<ProgressRenderer> renderer_;
    std::optional<Config> config_;
    std::unique_ptr<PluginRegistry> registry_;
    std::unique_ptr<Catalog> catalog_;
    bool look_only_ = false;
};

} // namespace bkhost
