// Making bytes costs nothing here: pieces of the pattern go to the sink without being copied.
#include "synthetic_dumper.hpp"

#include "synthetic_load.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace synthetic {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEngine = "synthetic";

Json parse_request(const char* request) {
    Json json = Json::parse(request, nullptr, false);
    if (!json.is_object())
        throw bk::Error(BK_E_INVALID, "synthetic: the request is not a JSON object");
    return json;
}

/// There are no tables, so a choice of some cannot be honoured.
void refuse_choices(const Json& request) {
    for (const char* key : {"include", "exclude", "tables"})
        if (request.contains(key) && !request.at(key).empty())
            throw bk::Error(BK_E_UNSUPPORTED,
                            std::string("synthetic: it has no tables to choose by '") + key + "'",
                            "back the whole of it up");
}

std::string unit_name(uint32_t unit) { return "unit-" + std::to_string(unit); }

} // namespace

SyntheticDumper::SyntheticDumper(bk::Host host, bk::Config config)
    : host_(host), layout_{static_cast<uint64_t>(config.number("size")),
                           static_cast<uint64_t>(config.number("seed")),
                           static_cast<uint32_t>(config.number("units")),
                           static_cast<int>(config.number("ratio"))},
      fragment_(static_cast<uint64_t>(config.number("fragment"))) {}

std::string SyntheticDumper::probe() {
    return Json{{"engine", kEngine},
                {"version", std::to_string(kPatternVersion)},
                {"identity", "synthetic " + std::to_string(layout_.seed)},
                {"size", layout_.size},
                {"warnings", Json::array()}}
        .dump();
}

std::string SyntheticDumper::inspect(const char*) { return Json{{"tables", Json::array()}}.dump(); }

std::string SyntheticDumper::dump_begin(const char* request) {
    refuse_choices(parse_request(request));
    pattern_ = std::make_unique<Pattern>(layout_.seed, layout_.ratio);
    dumped_ = 0;
    return Json{{"engine", kEngine},
                {"version", std::to_string(kPatternVersion)},
                {"extension", "bin"},
                {"format", kEngine},
                {"layout",
                 {{"pattern", kPatternVersion},
                  {"size", layout_.size},
                  {"units", layout_.units},
                  {"ratio", layout_.ratio},
                  {"seed", layout_.seed}}}}
        .dump();
}

void SyntheticDumper::plan(const Units& unit) {
    for (uint32_t i = 0; i < layout_.units; ++i)
        if (layout_.unit_size(i) > 0)
            unit(
                {sizeof(bk_unit), 0, BK_PHASE_DATA, i, layout_.unit_size(i), unit_name(i).c_str()});
}

void SyntheticDumper::dump(uint32_t number, bk::Sink sink) {
    if (!pattern_ || number >= layout_.units)
        throw bk::Error(BK_E_INVALID, "synthetic: no such unit, or no dump has begun");
    const uint64_t size = layout_.unit_size(number);
    const uint64_t fragment = fragment_ > 0 ? fragment_ : std::max(sink.fragment_target(), 1u);
    sink.section({.kind = "blob", .name = unit_name(number), .size_hint = size});
    Pattern::Stamp room;
    for (uint64_t at = 0, cut = 0; at < size;) {
        if (at == cut) {
            host_.check_cancelled();
            cut = at + std::min(fragment, size - at);
        }
        const auto bytes = pattern_->piece(number, at, room);
        const uint64_t n = std::min<uint64_t>(bytes.size(), cut - at);
        sink.write(bytes.data(), n);
        at += n;
        if (at == cut) sink.cut();
    }
    dumped_ += size;
}

void SyntheticDumper::dump_end(bool ok) {
    if (ok && dumped_ != layout_.size)
        throw bk::Error(BK_E_CORRUPT, "synthetic: " + std::to_string(dumped_) + " bytes of " +
                                          std::to_string(layout_.size) + " were dumped");
    pattern_.reset();
}

std::unique_ptr<bk::LoadSession> SyntheticDumper::load_begin(const char* text) {
    const Json request = parse_request(text);
    refuse_choices(request);
    try {
        const Json& layout = request.at("layout");
        if (request.at("format") != kEngine || layout.at("pattern") != kPatternVersion)
            throw bk::Error(BK_E_UNSUPPORTED, "synthetic: the archive has another pattern",
                            "restore it with the version of the plugin that made it");
        const Layout made{layout.at("size").get<uint64_t>(), layout.at("seed").get<uint64_t>(),
                          layout.at("units").get<uint32_t>(), layout.at("ratio").get<int>()};
        return std::make_unique<SyntheticLoad>(host_, made);
    } catch (const Json::exception& error) {
        throw bk::Error(BK_E_INVALID,
                        std::string("synthetic: the layout cannot be read: ") + error.what());
    }
}

} // namespace synthetic
