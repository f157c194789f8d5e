#include "core/pipeline/sections.hpp"

#include <nlohmann/json.hpp>

namespace bkhost {
namespace {
std::string text(const char* value) { return value == nullptr ? "" : value; }
} // namespace

std::string section_marker(const SectionInfo& section) {
    const nlohmann::json named{{"kind", section.kind},
                               {"name", section.name},
                               {"namespace", section.namespace_name},
                               {"ordered", section.ordered ? 1 : 0},
                               {"phase", section.phase},
                               {"step", section.step}};
    // Names that are not UTF-8 must not end a dump: such bytes are replaced here and exact in
    // nothing.
    return "-- bkhost section " + std::to_string(section.number) + ' ' +
           named.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

const SectionInfo& SectionTable::get(uint32_t component, const bk_section& section) {
    Key key(component, section.phase, section.step, text(section.kind),
            text(section.namespace_name), text(section.name));
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] =
        numbers_.emplace(std::move(key), static_cast<uint32_t>(infos_.size()));
    if (is_new)
        infos_.push_back({found->second, component, section.phase, section.step,
                          (section.flags & BK_SECTION_ORDERED) != 0, text(section.kind),
                          text(section.namespace_name), text(section.name), text(section.depends)});
    return infos_[found->second];
}

const SectionInfo& SectionTable::at(uint32_t number) const {
    const std::lock_guard lock(mutex_);
    return infos_.at(number);
}

size_t SectionTable::size() const {
    const std::lock_guard lock(mutex_);
    return infos_.size();
}

} // namespace bkhost
