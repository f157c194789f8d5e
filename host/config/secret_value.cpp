// Variables and files; commands are in secret_command.cpp.
#include "host/config/secret_value.hpp"

#include "host/config/config_find.hpp"
#include "host/config/open_file.hpp"

#include <bkhost/error.hpp>

#include <sys/stat.h>

namespace bkhost {
namespace {

Secret without_line_end(const Secret& secret, const std::string& what) {
    std::string_view text = secret.reveal();
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) throw bk::Error(BK_E_CONFIG, what + " gives an empty secret");
    return Secret(std::string(text));
}

Secret from_variable(const std::string& name, const Environment& environment) {
    if (auto value = environment.text(name)) return Secret(std::move(*value));
    throw bk::Error(BK_E_CONFIG, "the environment variable '" + name + "' is not set or empty",
                    "it should hold the secret");
}

Secret from_file(const std::string& path) {
    const OpenFile file(path);
    if (!S_ISREG(file.mode()))
        throw bk::Error(BK_E_CONFIG, "the secret's file '" + path + "' is not an ordinary file");
    if ((file.mode() & S_IRWXO) != 0)
        throw bk::Error(BK_E_CONFIG, "everybody has access to the secret's file '" + path + "'",
                        "chmod 600 " + path);
    return without_line_end(file.read(kMaxSecretBytes), "the file '" + path + "'");
}

/// The words of a value: one scalar, or a list of them; nothing when it is something else.
std::vector<std::string> words_of(const ConfigValue& value) {
    if (value.is_scalar()) return {value.text};
    std::vector<std::string> words;
    for (const ConfigValue& item : value.items) {
        if (!item.is_scalar()) return {};
        words.push_back(item.text);
    }
    return words;
}

} // namespace

std::optional<SecretForm> secret_form(const ConfigValue& value) {
    if (!value.is_map() || value.entries.size() != 1) return std::nullopt;
    const auto& [key, line, target] = value.entries.front();
    SecretForm form;
    const bool command = key == "command";
    if (command)
        form.kind = SecretForm::Kind::command;
    else if (key == "file")
        form.kind = SecretForm::Kind::file;
    else if (key != "env")
        return std::nullopt;
    if (command != target.is_sequence()) return std::nullopt;
    form.words = words_of(target);
    if (form.words.empty() || form.words.front().empty()) return std::nullopt;
    return form;
}

Secret read_secret(const SecretForm& form, const std::string& folder,
                   const Environment& environment) {
    if (form.kind == SecretForm::Kind::env) return from_variable(form.words[0], environment);
    if (form.kind == SecretForm::Kind::file)
        return from_file(placed_path(form.words[0], folder, environment));
    return without_line_end(run_secret_command(form.words, environment),
                            "the command '" + form.words[0] + "'");
}

} // namespace bkhost
