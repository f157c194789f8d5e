#include "core/pipeline/sections.hpp"

#include "core/base/strict_json.hpp"
#include "core/base/text.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace bkhost {
namespace {
std::string text(const char* value) { return value == nullptr ? "" : value; }
} // namespace

std::string marker_start(const std::string& nonce) { return "-- bkhost section " + nonce + ' '; }

std::string make_marker_nonce(const Clock& clock) {
    std::array<uint8_t, 16> bytes{};
    clock.random(bytes);
    return to_hex(bytes);
}

bool is_marker_nonce(std::string_view text) noexcept {
    return text.size() == 32 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

std::string section_marker(const SectionInfo& section, const std::string& nonce) {
    const nlohmann::json named{{"depends", section.depends},
                               {"kind", section.kind},
                               {"name", section.name},
                               {"namespace", section.namespace_name},
                               {"ordered", section.ordered ? 1 : 0},
                               {"phase", section.phase},
                               {"step", section.step}};
    // Names that are not UTF-8 must not end a dump: such bytes are replaced here and exact in
    // nothing.
    return marker_start(nonce) + std::to_string(section.number) + ' ' +
           named.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

SectionInfo parse_section_marker(std::string_view line, const std::string& nonce) {
    const std::string start = marker_start(nonce);
    const size_t named = line.find('{');
    try {
        if (!line.starts_with(start) || named == std::string_view::npos || named <= start.size() ||
            line[named - 1] != ' ')
            throw bk::Error(BK_E_CORRUPT, "a section marker cannot be read");
        SectionInfo section;
        const char* const number_end = line.data() + named - 1;
        const auto [end, code] =
            std::from_chars(line.data() + start.size(), number_end, section.number);
        check_json_depth(line.substr(named));
        const nlohmann::json json = nlohmann::json::parse(line.substr(named));
        section.phase = small_number(json.at("phase"));
        if (code != std::errc{} || end != number_end || section.phase > BK_PHASE_META)
            throw bk::Error(BK_E_CORRUPT, "a section marker has an unknown number or phase");
        section.step = small_number(json.at("step"));
        section.ordered = whole_number(json.at("ordered"), 1) == 1;
        section.kind = json.at("kind").get<std::string>();
        section.namespace_name = json.at("namespace").get<std::string>();
        section.name = json.at("name").get<std::string>();
        section.depends = json.at("depends").get<std::string>();
        return section;
    } catch (const nlohmann::json::exception& e) {
        throw bk::Error(BK_E_CORRUPT, std::string("a section marker cannot be read: ") + e.what());
    }
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
