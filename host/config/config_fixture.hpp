// What the tests of this folder share: a folder of their own, an environment and a table of
// drivers.
#pragma once

#include "host/config/config.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <stdlib.h>
#include <sys/stat.h>

namespace bkhost {

/// A new folder, removed at the end.
class TempFolder {
public:
    TempFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "bkhost-config-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) bk::throw_errno(errno, "mkdtemp");
        path_ = name;
    }
    ~TempFolder() {
        std::error_code code;
        std::filesystem::remove_all(path_, code);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    [[nodiscard]] std::string path(const std::string& name = "") const {
        return name.empty() ? path_ : path_ + "/" + name;
    }
    std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        std::ofstream(path(name), std::ios::binary) << text;
        ::chmod(path(name).c_str(), mode);
        return path(name);
    }

private:
    std::string path_;
};

/// Variables of the test's own; the folder is the home.
struct TestEnvironment {
    std::map<std::string, std::string> variables;
    [[nodiscard]] Environment get() const {
        Environment environment;
        environment.get = [all = variables](const std::string& name) -> std::optional<std::string> {
            const auto at = all.find(name);
            if (at == all.end()) return std::nullopt;
            return at->second;
        };
        return environment;
    }
};

inline OptionInfo test_option(std::string key, uint32_t type, uint32_t flags = 0,
                              std::string allowed = "") {
    OptionInfo option;
    option.key = std::move(key);
    option.type = type;
    option.flags = flags;
    option.allowed = std::move(allowed);
    return option;
}

/// Drivers with the options that the samples use; loads nothing.
class TestRegistry final : public Registry {
public:
    TestRegistry() {
        const OptionInfo path = test_option("path", BK_OPT_PATH, BK_OPT_REQUIRED);
        add(kStorage, "local",
            {path, test_option("require-marker", BK_OPT_BOOL),
             test_option("part-size", BK_OPT_SIZE, 0, "5MiB..5GiB")});
        add(kDumper, "sqlite", {path, test_option("busy-timeout", BK_OPT_DURATION)});
        add(kDumper, "postgres",
            {test_option("host", BK_OPT_STRING), test_option("port", BK_OPT_INT, 0, "1..65535"),
             test_option("user", BK_OPT_STRING), test_option("database", BK_OPT_STRING),
             test_option("mode", BK_OPT_ENUM, 0, "fast|safe"),
             test_option("password", BK_OPT_SECRET), test_option("extra", BK_OPT_JSON),
             test_option("schema", BK_OPT_STRING, BK_OPT_REPEATED)});
        add(kCompressor, "zstd", {test_option("level", BK_OPT_INT, 0, "1..22")});
        add(kEncryptor, "age",
            {test_option("recipients", BK_OPT_STRING, BK_OPT_REPEATED),
             test_option("identity-files", BK_OPT_PATH, BK_OPT_REPEATED)});
    }
    const DriverDescription& describe(std::string_view kind, std::string_view name) override {
        for (const DriverDescription& driver : drivers_)
            if (driver.kind == kind && driver.name == name) return driver;
        throw bk::Error(BK_E_CONFIG,
                        "no " + std::string(kind) + " driver '" + std::string(name) + "'",
                        "see bkhost plugin list");
    }
    const DriverDescription* find_scheme(std::string_view, std::string_view) override {
        return nullptr;
    }
    std::vector<std::string> names(std::string_view) override { return {}; }
    const bk_component& load(std::string_view, std::string_view) override {
        throw bk::Error(BK_E_CONFIG, "nothing to load");
    }
    [[nodiscard]] const std::vector<OptionInfo>& options(std::string_view kind,
                                                         std::string_view name) {
        return describe(kind, name).options;
    }

private:
    void add(std::string_view kind, std::string name, std::vector<OptionInfo> options) {
        DriverDescription driver;
        driver.kind = kind;
        driver.name = std::move(name);
        driver.options = std::move(options);
        drivers_.push_back(std::move(driver));
    }
    std::vector<DriverDescription> drivers_;
};

/// "message; hint" of the bk::Error that `body` throws, or "nothing thrown".
template <class Body>
std::string error_of(Body&& body) {
    try {
        body();
    } catch (const bk::Error& error) {
        return error.message() + (error.hint().empty() ? "" : "; " + error.hint());
    }
    return "nothing thrown";
}

/// All problems, a line each.
inline std::string text_of(const std::vector<ConfigProblem>& problems) {
    std::string all;
    for (const ConfigProblem& problem : problems)
        all += problem.text() + "\n";
    return all;
}

/// What the loader and the checker say of a configuration, "" when it is good.
inline std::string complaints(const std::string& path, const Environment& environment) {
    try {
        TestRegistry registry;
        return text_of(check_config(load_config(path, environment), registry));
    } catch (const bk::Error& error) {
        return error.message() + "; " + error.hint();
    }
}

} // namespace bkhost
