// The sections of an archive, numbered in the order in which they are first named.
#pragma once

#include "core/base/clock.hpp"

#include <bkhost/dumper.h>

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

namespace bkhost {

struct SectionInfo {
    uint32_t number = 0, component = 0, phase = 0, step = 0;
    bool ordered = false;
    std::string kind, namespace_name, name, depends;
    bool operator==(const SectionInfo&) const = default;
};

/// The comment line that names a section in a stream of SQL, with its newline (FORMAT.md, section
/// 3). `nonce`: the component's `marker`, which no value in the database can hold.
[[nodiscard]] std::string section_marker(const SectionInfo& section, const std::string& nonce);
/// Of such a line without its newline; the component is 0. Throws CORRUPT.
[[nodiscard]] SectionInfo parse_section_marker(std::string_view line, const std::string& nonce);
/// How every such line begins, up to the section's number.
[[nodiscard]] std::string marker_start(const std::string& nonce);
/// 32 hex digits of chance.
[[nodiscard]] std::string make_marker_nonce(const Clock& clock);
[[nodiscard]] bool is_marker_nonce(std::string_view text) noexcept;

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
