#include "core/archive/index_records.hpp"

#include "core/archive/manifest.hpp"
#include "core/base/strict_json.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cstdio>

namespace bkhost {
namespace {

using Json = nlohmann::json;

Json rows_json(const RowSum& sum) { return sum.counted ? Json(sum.rows) : Json(nullptr); }

Json digest_json(const RowSum& sum) {
    const std::string text = digest_text(sum);
    return text.empty() ? Json(nullptr) : Json(text);
}

RowSum sum_of(const Json& rows, const Json& digest) {
    RowSum sum;
    sum.counted = !rows.is_null();
    if (sum.counted) sum.rows = whole_number(rows);
    sum.digest_known = sum.counted && !digest.is_null();
    if (!sum.digest_known) return sum;
    const auto text = digest.get<std::string>();
    const auto parse = [](std::string_view hex, uint64_t& value) {
        const auto [end, code] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
        return code == std::errc{} && end == hex.data() + hex.size();
    };
    if (text.size() != 32 || !parse(std::string_view(text).substr(0, 16), sum.high) ||
        !parse(std::string_view(text).substr(16), sum.low))
        throw bk::Error(BK_E_CORRUPT, "a row digest in the index is not 32 hex digits");
    return sum;
}

Json json_of(const IndexUnknown&) { return Json::object(); }
Json json_of(const IndexBegin& r) {
    return {{"t", "index"}, {"version", kFormatVersion}, {"id", r.id}};
}
Json json_of(const IndexComponent& r) {
    return {{"t", "component"}, {"n", r.number}, {"name", r.name}};
}
Json json_of(const SectionInfo& r) {
    return {{"t", "section"},   {"n", r.number},
            {"c", r.component}, {"phase", r.phase},
            {"step", r.step},   {"ordered", r.ordered ? 1 : 0},
            {"kind", r.kind},   {"namespace", r.namespace_name},
            {"name", r.name},   {"depends", r.depends}};
}
Json json_of(const IndexFrame& r) {
    Json segments = Json::array();
    for (const IndexSegment& s : r.segments)
        segments.push_back({s.section, s.offset, s.length, s.section_offset, rows_json(s.sum),
                            digest_json(s.sum), (s.first ? 1 : 0) | (s.continued ? 2 : 0)});
    Json json{{"t", "frame"},          {"n", r.number},
              {"c", r.component},      {"v", r.volume},
              {"po", r.plain_offset},  {"pl", r.plain_length},
              {"ko", r.packed_offset}, {"kl", r.packed_length},
              {"x", r.checksum},       {"s", std::move(segments)}};
    if (r.more) json["more"] = 1;
    return json;
}
Json json_of(const IndexMeta& r) {
    return {{"t", "meta"}, {"c", r.component}, {"key", r.key}, {"value", Json::parse(r.value)}};
}
Json json_of(const IndexProof& r) {
    return {{"t", "proof"},     {"c", r.component},         {"namespace", r.namespace_name},
            {"table", r.table}, {"rows", rows_json(r.sum)}, {"digest", digest_json(r.sum)}};
}
Json json_of(const Warning& r) {
    return {{"t", "warning"}, {"code", r.code}, {"object", r.object}, {"text", r.text}};
}
Json json_of(const IndexVolume& r) {
    return {{"t", "volume"},      {"c", r.component}, {"v", r.number},
            {"frames", r.frames}, {"plain", r.plain}, {"packed", r.packed}};
}
Json json_of(const IndexTotal& r) {
    return {{"t", "total"},
            {"n", r.section},
            {"bytes", r.bytes},
            {"rows", rows_json(r.sum)},
            {"digest", digest_json(r.sum)}};
}
Json json_of(const IndexEnd& r) {
    return {{"t", "end"}, {"frames", r.frames}, {"sections", r.sections}, {"plain", r.plain}};
}

IndexSegment segment_of(const Json& s) {
    IndexSegment segment;
    segment.section = small_number(s.at(0));
    segment.offset = whole_number(s.at(1));
    segment.length = whole_number(s.at(2));
    segment.section_offset = whole_number(s.at(3));
    segment.sum = sum_of(s.at(4), s.at(5));
    const uint32_t flags = small_number(s.at(6));
    segment.first = (flags & 1) != 0;
    segment.continued = (flags & 2) != 0;
    return segment;
}

IndexFrame frame_of(const Json& j) {
    IndexFrame frame;
    frame.number = whole_number(j.at("n"));
    frame.component = small_number(j.at("c"));
    frame.volume = small_number(j.at("v"));
    frame.plain_offset = whole_number(j.at("po"));
    frame.plain_length = whole_number(j.at("pl"));
    frame.packed_offset = whole_number(j.at("ko"));
    frame.packed_length = whole_number(j.at("kl"));
    frame.checksum = j.at("x").get<std::string>();
    frame.more = j.contains("more") && whole_number(j.at("more"), 1) == 1;
    uint64_t end = 0; // of the segment before: they must not overlap nor leave the frame
    for (const Json& s : json_list(j.at("s"))) {
        frame.segments.push_back(segment_of(s));
        const IndexSegment& segment = frame.segments.back();
        if (segment.offset < end || segment.offset > frame.plain_length ||
            segment.length > frame.plain_length - segment.offset)
            throw bk::Error(BK_E_CORRUPT, "a segment of frame " + std::to_string(frame.number) +
                                              " lies outside it");
        end = segment.offset + segment.length;
    }
    return frame;
}

SectionInfo section_of(const Json& j) {
    return {small_number(j.at("n")),
            small_number(j.at("c")),
            small_number(j.at("phase")),
            small_number(j.at("step")),
            whole_number(j.at("ordered"), 1) == 1,
            j.at("kind").get<std::string>(),
            j.at("namespace").get<std::string>(),
            j.at("name").get<std::string>(),
            j.at("depends").get<std::string>()};
}

IndexRecord record_of(const Json& j) {
    const auto type = j.at("t").get<std::string>();
    if (type == "frame") return frame_of(j);
    if (type == "section") return section_of(j);
    if (type == "index") {
        if (whole_number(j.at("version")) != kFormatVersion)
            throw bk::Error(BK_E_CORRUPT, "the index is of another version than its manifest");
        return IndexBegin{j.at("id").get<std::string>()};
    }
    if (type == "component")
        return IndexComponent{small_number(j.at("n")), j.at("name").get<std::string>()};
    if (type == "meta")
        return IndexMeta{small_number(j.at("c")), j.at("key").get<std::string>(),
                         j.at("value").dump()};
    if (type == "proof")
        return IndexProof{small_number(j.at("c")), j.at("namespace").get<std::string>(),
                          j.at("table").get<std::string>(), sum_of(j.at("rows"), j.at("digest"))};
    if (type == "warning")
        return Warning{j.at("code").get<std::string>(), j.at("object").get<std::string>(),
                       j.at("text").get<std::string>()};
    if (type == "volume")
        return IndexVolume{small_number(j.at("c")), small_number(j.at("v")),
                           whole_number(j.at("frames")), whole_number(j.at("plain")),
                           whole_number(j.at("packed"))};
    if (type == "total")
        return IndexTotal{small_number(j.at("n")), whole_number(j.at("bytes")),
                          sum_of(j.at("rows"), j.at("digest"))};
    if (type == "end")
        return IndexEnd{whole_number(j.at("frames")), whole_number(j.at("sections")),
                        whole_number(j.at("plain"))};
    return IndexUnknown{};
}

} // namespace

std::string digest_text(const RowSum& sum) {
    if (!sum.digest_known) return {};
    std::array<char, 33> text{};
    std::snprintf(text.data(), text.size(), "%016llx%016llx",
                  static_cast<unsigned long long>(sum.high),
                  static_cast<unsigned long long>(sum.low));
    return text.data();
}

std::string index_line(const IndexRecord& record) {
    const Json json = std::visit([](const auto& r) { return json_of(r); }, record);
    // A name that is not UTF-8 is kept readable; the bytes of the dump itself are exact.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

IndexRecord parse_index_line(std::string_view line) {
    check_json_depth(line);
    try {
        return record_of(Json::parse(line));
    } catch (const Json::exception& e) {
        throw bk::Error(BK_E_CORRUPT,
                        std::string("a line of the index cannot be read: ") + e.what());
    }
}

} // namespace bkhost
