// The three forms of a secret in a configuration, and reading one. Knows no options.
#pragma once

#include "core/base/secret.hpp"
#include "host/config/environment.hpp"
#include "host/config/yaml_tree.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bkhost {

/// {env: NAME}, {file: PATH} or {command: [PROGRAM, ARG...]}: where a secret is, not what it is.
struct SecretForm {
    enum class Kind { env, file, command };
    Kind kind = Kind::env;
    std::vector<std::string> words; ///< at least one; only a command has more
};

inline constexpr size_t kMaxSecretBytes = size_t{64} << 10;

/// The form that the value has, or nothing.
[[nodiscard]] std::optional<SecretForm> secret_form(const ConfigValue& value);

/// Reads it. A relative path is put behind `folder`. Throws CONFIG without a place, which the
/// caller adds; the message never holds the secret, nor a command's arguments. Thread-safe.
[[nodiscard]] Secret read_secret(const SecretForm& form, const std::string& folder,
                                 const Environment& environment);

/// Runs a program without a shell and gives what it prints. Throws as read_secret.
[[nodiscard]] Secret run_secret_command(const std::vector<std::string>& words,
                                        const Environment& environment);

} // namespace bkhost
