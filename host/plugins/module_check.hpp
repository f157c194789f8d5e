// Whether the description that a module gives of itself can be used: sizes, required texts,
// options, and the required functions of each kind. The one place that knows which slots a kind
// must fill.
#pragma once

#include <bkhost/abi.h>

#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// Why the module cannot be used, naming driver and slot, or "". The module must be mapped; its
/// pointers are followed.
[[nodiscard]] std::string module_problem(const bk_module* module);

/// "storage" of "bkhost.storage/0"; whole, without the revision, when it is not one of bkhost's.
[[nodiscard]] std::string kind_of_interface(std::string_view interface_id);
/// The interface of that kind that this host uses; "" for a kind that it does not know.
[[nodiscard]] std::string_view interface_of_kind(std::string_view kind) noexcept;

/// The options of a driver whose description has no problem. An option may be longer than this
/// host's bk_option; what follows is not looked at.
[[nodiscard]] std::vector<const bk_option*> options_of(const bk_component& component);

} // namespace bkhost
