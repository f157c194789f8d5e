// The seam to what lies around the process: environment variables, and how long a command that
// gives a secret may take. Tests replace both.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace bkhost {

/// Thread-safe as long as nobody changes the variables.
struct Environment {
    /// The variable's value, or nothing when it is not set.
    std::function<std::optional<std::string>(const std::string& name)> get;
    std::chrono::milliseconds command_limit{30'000};

    /// The variable's value when it is set and not empty.
    [[nodiscard]] std::optional<std::string> text(const std::string& name) const {
        std::optional<std::string> value = get(name);
        if (value && value->empty()) value.reset();
        return value;
    }
    /// That of this process.
    [[nodiscard]] static Environment process();
};

} // namespace bkhost
