#include "core/job/table_choice.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cctype>

namespace bkhost {
namespace {

constexpr size_t kShownNames = 10;

bool is_choosable(const SectionInfo& section) {
    return section.kind == "table" || section.kind == "virtual table" || section.kind == "view";
}

bool same_but_for_case(std::string_view left, std::string_view right) {
    return std::ranges::equal(left, right, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
    });
}

std::string nearest_table(const std::string& name, const std::vector<std::string>& known) {
    const auto alike = std::ranges::find_if(
        known, [&](const std::string& other) { return same_but_for_case(name, other); });
    return alike != known.end() ? *alike : nearest(name, known);
}

std::vector<std::string> dependencies(const SectionInfo& section) {
    std::optional<std::vector<std::string>> names = split_names(section.depends);
    if (!names)
        throw bk::Error(BK_E_CORRUPT, "section '" + section.name +
                                          "' depends on what is no list of names: '" +
                                          section.depends + "'");
    return std::move(*names);
}

} // namespace

std::vector<SectionInfo> read_sections(const ArchiveAccess& access, const Manifest& manifest,
                                       const DriverPtr& compressor) {
    IndexReader index(access, manifest, compressor);
    std::vector<SectionInfo> sections;
    while (std::optional<IndexRecord> record = index.next())
        if (auto* section = std::get_if<SectionInfo>(&*record))
            sections.push_back(std::move(*section));
    return sections;
}

std::vector<std::string> table_names(const std::vector<SectionInfo>& sections) {
    std::set<std::string> names;
    for (const SectionInfo& section : sections)
        if (is_choosable(section)) names.insert(section.name);
    return {names.begin(), names.end()};
}

void check_table_names(const std::string& backup_id, const std::vector<std::string>& wanted,
                       const std::vector<std::string>& known) {
    std::vector<std::string> unknown, meant;
    for (const std::string& name : wanted) {
        if (std::ranges::find(known, name) != known.end()) continue;
        unknown.push_back("'" + name + "'");
        const std::string alike = nearest_table(name, known);
        if (!alike.empty()) meant.push_back("'" + alike + "'");
    }
    if (unknown.empty()) return;
    std::string hint = meant.empty() ? "" : "did you mean " + join(meant) + "? ";
    const size_t shown = std::min(known.size(), kShownNames);
    hint += "it holds " + join({known.begin(), known.begin() + static_cast<ptrdiff_t>(shown)});
    if (shown < known.size()) hint += " and " + std::to_string(known.size() - shown) + " more";
    throw bk::Error(BK_E_CONFIG, "backup '" + backup_id + "' has no table " + join(unknown), hint);
}

bool TableChoice::has_any(const IndexFrame& frame) const {
    return std::ranges::any_of(frame.segments,
                               [&](const IndexSegment& segment) { return has(segment.section); });
}

TableChoice choose_sections(const std::vector<SectionInfo>& sections,
                            const std::vector<std::string>& names) {
    TableChoice choice;
    std::set<std::string> wanted(names.begin(), names.end());
    const auto is_content = [](const SectionInfo& section) {
        return section.phase == BK_PHASE_PRE || section.phase == BK_PHASE_DATA;
    };
    for (bool grown = true; grown;) { // what a dependency depends on, too
        grown = false;
        for (const SectionInfo& section : sections)
            if (is_content(section) && wanted.contains(section.name))
                for (std::string& name : dependencies(section))
                    grown = wanted.insert(std::move(name)).second || grown;
    }
    for (const SectionInfo& section : sections) {
        const bool session =
            section.phase == BK_PHASE_PROLOGUE || section.phase == BK_PHASE_EPILOGUE;
        if (session || (is_content(section) && wanted.contains(section.name)))
            choice.sections.insert(section.number);
        if (section.phase != BK_PHASE_POST || section.depends.empty()) continue;
        std::vector<std::string> absent = dependencies(section);
        const size_t needs = absent.size();
        std::erase_if(absent, [&](const std::string& name) { return wanted.contains(name); });
        if (absent.empty())
            choice.sections.insert(section.number);
        else if (absent.size() < needs)
            choice.left_out.push_back(section.kind + " '" + section.name +
                                      "' is left out: it needs " + join(absent) +
                                      ", which is not restored");
    }
    return choice;
}

} // namespace bkhost
