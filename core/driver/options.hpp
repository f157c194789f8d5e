// A driver's options as data: descriptors, and values that were checked against them.
#pragma once

#include <bkhost/abi.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// One option as a driver declares it: bk_option with texts of its own, so that it can come from a
/// loaded plugin or from the cache of the scan.
struct OptionInfo {
    std::string key;
    uint32_t type = BK_OPT_STRING; ///< BK_OPT_*
    uint32_t flags = 0;            ///< BK_OPT_REQUIRED ...
    bool has_default = false;
    std::string default_value;
    std::string allowed; ///< "" : anything of the type
    std::string help;
};

/// What the operator wrote, as text: key -> values (several only for REPEATED options). Values of
/// secrets are already resolved.
using OptionText = std::map<std::string, std::vector<std::string>>;

/// What is wrong with one option. `what` and `hint` never hold the value of a secret.
struct OptionProblem {
    std::string key;  ///< as it was written, or as declared when it is missing
    std::string what; ///< "option 'level' must be an int in 1..22, not '99'"
    std::string hint; ///< may be empty
};

/// Everything that is wrong with `text`, offline: unknown, missing and wrong ones. `-` and `_` in
/// keys are the same. `unresolved` are keys whose values are not known yet: they count as present
/// and are not looked at. Values of `confidential` keys are not quoted, as those of secrets never
/// are.
[[nodiscard]] std::vector<OptionProblem>
check_options(const std::vector<OptionInfo>& options, const OptionText& text,
              const std::set<std::string>& unresolved = {},
              const std::set<std::string>& confidential = {});

/// The option that `key` means, or nullptr. `-` and `_` are the same.
[[nodiscard]] const OptionInfo* find_option(const std::vector<OptionInfo>& options,
                                            std::string_view key);

/// The problem with a key that none of the options has: names the nearest one or all.
[[nodiscard]] OptionProblem unknown_option(const std::vector<OptionInfo>& options,
                                           const std::string& key);

/// Checked values, with the defaults filled in. Immutable, thread-safe. Owns the bk_config that a
/// driver sees. Secrets are wiped when it is destroyed.
class OptionValues {
public:
    /// Throws CONFIG for an unknown key (with the nearest known one as the hint), a missing
    /// required one, a value that does not fit type or `allowed`, or several values for one that is
    /// not REPEATED. `object` stands in the message: "storage 'here' (driver local)".
    OptionValues(const std::vector<OptionInfo>& options, const OptionText& text,
                 const std::string& object);
    ~OptionValues();
    OptionValues(OptionValues&&) noexcept;

    /// For a driver's create; valid as long as this object.
    [[nodiscard]] const bk_config* config() const noexcept;
    /// What was given or is the default, without secrets: for manifests and rows.
    [[nodiscard]] OptionText public_text() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// "size, 5MiB..5GiB, default 8MiB": how the option is described to people.
[[nodiscard]] std::string describe(const OptionInfo& option);
/// The name of an option type: "string", "bool", "size" ...
[[nodiscard]] const char* option_type_name(uint32_t type) noexcept;

} // namespace bkhost
