// The sections of an archive, numbered in the order in which they are first named.
#pragma once

#include <bkhost/dumper.h>

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

namespace bkhost {

struct SectionInfo {
    uint32_t number = 0, component = 0, phase = 0, step = 0;
    bool ordered = false;
    std::string kind, namespace_name, name, depends;
};

/// The comment line that names a section in a stream of SQL, with its newline (FORMAT.md, section
/// 3).
[[nodiscard]] std::string section_marker(const SectionInfo& section);

/// Thread-safe; infos never move or change.
class SectionTable {
public:
    /// The section's info; made when it is new.
    [[nodiscard]] const SectionInfo& get(uint32_t component, const bk_section& section);
    [[nodiscard]] const SectionInfo& at(uint32_t number) const;
    [[nodiscard]] size_t size() const;

private:
    using Key = std::tuple<uint32_t, uint32_t, uint32_t, std::string, std::string, std::string>;
    mutable std::mutex mutex_;
    std::deque<SectionInfo> infos_;
    std::map<Key, uint32_t> numbers_;
};

} // namespace bkhost
