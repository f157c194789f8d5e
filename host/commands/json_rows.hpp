// Rows of the catalog as JSON, the same in every verb that prints them.
#pragma once

#include "core/catalog/rows.hpp"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace bkhost {

[[nodiscard]] nlohmann::ordered_json backup_json(const BackupRow& row,
                                                 const std::vector<CopyRow>& copies);
[[nodiscard]] nlohmann::ordered_json restore_json(const RestoreRow& row);

} // namespace bkhost
