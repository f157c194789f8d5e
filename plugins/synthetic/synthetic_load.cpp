#include "synthetic_load.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace synthetic {
namespace {

constexpr std::string_view kPrefix = "unit-";

[[noreturn]] void differs(uint32_t unit, uint64_t offset) {
    throw bk::Error(BK_E_CORRUPT,
                    "synthetic: unit " + std::to_string(unit) + " differs from its seed at byte " +
                        std::to_string(offset),
                    "the archive was damaged and no checksum saw it: please report this");
}

/// A layout from a manifest that is not ours must not make us allocate what it likes.
const Layout& checked(const Layout& layout) {
    if (layout.units == 0 || layout.units > 1024 || layout.ratio < 1 ||
        layout.ratio > Pattern::kMaxRatio)
        throw bk::Error(BK_E_INVALID, "synthetic: the layout of the archive makes no sense");
    return layout;
}

} // namespace

SyntheticLoad::SyntheticLoad(bk::Host host, const Layout& layout)
    : host_(host), layout_(checked(layout)), pattern_(layout.seed, layout.ratio),
      seen_(layout.units) {}

uint32_t SyntheticLoad::unit_of(const bk_section& section) const {
    const std::string_view name = section.name;
    uint32_t unit = 0;
    const char* end = name.data() + name.size();
    const bool named = name.starts_with(kPrefix);
    if (!named || std::from_chars(name.data() + kPrefix.size(), end, unit).ptr != end ||
        unit >= layout_.units)
        throw bk::Error(BK_E_CORRUPT,
                        "synthetic: '" + std::string(name) + "' is none of its units");
    return unit;
}

void SyntheticLoad::load(const bk_load_unit& piece, bk::Source source) {
    const uint32_t unit = unit_of(piece.section);
    std::vector<uint8_t> buffer(256 * 1024);
    uint64_t at = piece.section_offset;
    Pattern::Stamp room;
    while (const size_t got = source.read(buffer)) {
        host_.check_cancelled();
        for (size_t done = 0; done < got;) {
            const auto expected = pattern_.piece(unit, at, room);
            const size_t n = std::min(expected.size(), got - done);
            if (std::memcmp(buffer.data() + done, expected.data(), n) != 0) differs(unit, at);
            done += n;
            at += n;
        }
    }
    mark(unit, piece.section_offset, at);
}

void SyntheticLoad::mark(uint32_t unit, uint64_t begin, uint64_t end) {
    if (begin == end) return;
    const std::lock_guard lock(mutex_);
    Ranges& ranges = seen_[unit];
    auto after = ranges.lower_bound(begin);
    const bool over_next = after != ranges.end() && after->first < end;
    const bool over_last = after != ranges.begin() && std::prev(after)->second > begin;
    if (over_next || over_last || end > layout_.unit_size(unit)) differs(unit, begin);
    if (after != ranges.end() && after->first == end) {
        end = after->second;
        after = ranges.erase(after);
    }
    if (after != ranges.begin() && std::prev(after)->second == begin)
        std::prev(after)->second = end;
    else
        ranges.emplace(begin, end);
}

void SyntheticLoad::end(bool ok) {
    if (!ok) return;
    for (uint32_t unit = 0; unit < layout_.units; ++unit) {
        const Ranges& ranges = seen_[unit];
        const uint64_t size = layout_.unit_size(unit);
        const uint64_t first = ranges.empty() ? 0 : ranges.begin()->second;
        if (ranges.size() > 1 || first != size || (!ranges.empty() && ranges.begin()->first != 0))
            throw bk::Error(BK_E_CORRUPT,
                            "synthetic: unit " + std::to_string(unit) + " of " +
                                std::to_string(size) + " bytes did not come back whole",
                            "the archive lacks data and no check saw it: please report this");
    }
}

} // namespace synthetic
