// Asks the operator to choose one of several things by number, on a terminal only.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace bkhost {

struct PickRequest {
    std::string what;     ///< "backup"
    std::string argument; ///< what to give where nobody can be asked: "an ID or 'latest'"
    std::vector<std::string> choices;
};

/// The numbered list and nothing else. Pure.
[[nodiscard]] std::string format_choices(const std::vector<std::string>& choices);
/// The index that a typed number (1 and up, spaces around it allowed) means; nothing when it means
/// none.
[[nodiscard]] std::optional<size_t> parse_choice(std::string_view typed, size_t count);

/// Prints the list to `out_fd` and reads lines from `in_fd` until one is a number of the list.
/// Nothing: the operator gave an empty line or ended the input. Throws INVALID when one of the two
/// is not a terminal, NOT_FOUND when there is nothing to choose, CANCELLED when `stop` is
/// requested.
[[nodiscard]] std::optional<size_t> pick(const PickRequest& request, std::stop_token stop = {},
                                         int in_fd = STDIN_FILENO, int out_fd = STDERR_FILENO);

} // namespace bkhost
