// Which sections of a script belong to the tables that a restore names.
#pragma once

#include "core/archive/index_reader.hpp"

#include <set>
#include <string>
#include <vector>

namespace bkhost {

/// Every section of the archive; reads the index.
[[nodiscard]] std::vector<SectionInfo>
read_sections(const ArchiveAccess& access, const Manifest& manifest, const DriverPtr& compressor);

/// Names that a restore can choose among: sections of the kinds "table", "virtual table" and
/// "view".
[[nodiscard]] std::vector<std::string> table_names(const std::vector<SectionInfo>& sections);

/// Throws CONFIG unless every name is among those of the backup; says which are nearest.
void check_table_names(const std::string& backup_id, const std::vector<std::string>& wanted,
                       const std::vector<std::string>& known);

struct TableChoice {
    std::set<uint32_t> sections;       ///< by number
    std::vector<std::string> left_out; ///< what belongs to a chosen table and cannot come, and why

    [[nodiscard]] bool has(uint32_t section) const { return sections.contains(section); }
    [[nodiscard]] bool has_any(const IndexFrame& frame) const;
};
/// The named tables with definitions and rows that they depend on; what of phase POST needs none
/// but these; prologue and epilogue. Throws CORRUPT when `depends` cannot be read.
[[nodiscard]] TableChoice choose_sections(const std::vector<SectionInfo>& sections,
                                          const std::vector<std::string>& names);

} // namespace bkhost
