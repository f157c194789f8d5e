#include "core/archive/manifest.hpp"

#include "core/archive/naming.hpp"
#include "core/base/digest.hpp"
#include "core/base/strict_json.hpp"
#include "core/base/text.hpp"
#include "core/pipeline/sections.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDigestKey = "\"manifest_sha256\":\"";

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
template <class T>
Json value_or_null(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

Json object_json(const ObjectRecord& o) {
    return {{"key", o.key},
            {"size", o.size},
            {"sha256", o.sha256},
            {"packed_size", o.packed_size},
            {"plain_size", o.plain_size},
            {"header_size", o.header_size},
            {"header_sha256", o.header_sha256}};
}

Json component_json(const ComponentRecord& c) {
    Json volumes = Json::array();
    for (const ObjectRecord& volume : c.volumes)
        volumes.push_back(object_json(volume));
    return {{"name", c.name},
            {"type", c.type},
            {"extension", c.extension},
            {"format", c.format},
            {"marker", text_or_null(c.marker)},
            {"layout", Json::parse(c.layout)},
            {"plain_size", c.plain_size},
            {"rows", value_or_null(c.rows)},
            {"frames", c.frames},
            {"volumes", std::move(volumes)}};
}

Json compressor_json(const std::optional<CodecRecord>& c) {
    if (!c) return nullptr;
    return {{"driver", c->driver},
            {"suffix", c->suffix},
            {"decode_command", c->decode_command},
            {"options", c->options}};
}

Json encryptor_json(const std::optional<CodecRecord>& c) {
    if (!c) return nullptr;
    return {{"driver", c->driver},
            {"suffix", c->suffix},
            {"decode_command", c->decode_command},
            {"key_fingerprints", c->key_fingerprints}};
}

Json manifest_json(const Manifest& m) {
    Json components = Json::array();
    for (const ComponentRecord& component : m.components)
        components.push_back(component_json(component));
    return {{"format", "bkhost-archive"},
            {"version", kFormatVersion},
            {"requires", Json::array()},
            {"id", m.id},
            {"environment", m.environment},
            {"tenant", text_or_null(m.tenant)},
            {"source", m.source},
            {"job", text_or_null(m.job)},
            {"type", m.type},
            {"parent", text_or_null(m.parent)},
            {"started_at", format_time(m.started_ms)},
            {"finished_at", format_time(m.finished_ms)},
            {"host", m.host},
            {"created_by", m.created_by},
            {"engine",
             {{"name", m.engine.name},
              {"version", m.engine.version},
              {"driver", m.engine.driver},
              {"module", m.engine.module},
              {"module_version", m.engine.module_version}}},
            {"frame_checksum", "xxh3-128"},
            {"row_digest", m.row_digest ? Json("rowsum-1") : Json(nullptr)},
            {"compressor", compressor_json(m.compressor)},
            {"encryptor", encryptor_json(m.encryptor)},
            {"components", std::move(components)},
            {"index", object_json(m.index)},
            {"plain_size", m.plain_size},
            {"stored_size", m.stored_size},
            {"rows", value_or_null(m.rows)},
            {"warnings", m.warnings},
            {"signature", nullptr}};
}

std::string text_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return {};
    return found->get<std::string>();
}

std::optional<uint64_t> number_at(const Json& json, const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return std::nullopt;
    return whole_number(*found);
}

/// One part of a key: no slash and nothing that leads out of the archive's folder.
bool is_object_name(const std::string& key) {
    return !key.empty() && key.front() != '.' && key.find('/') == std::string::npos &&
           key.find('\0') == std::string::npos;
}

ObjectRecord object_of(const Json& json) {
    ObjectRecord o;
    o.key = json.at("key").get<std::string>();
    o.size = whole_number(json.at("size"));
    o.sha256 = json.at("sha256").get<std::string>();
    o.packed_size = whole_number(json.at("packed_size"));
    o.plain_size = whole_number(json.at("plain_size"));
    o.header_size = whole_number(json.at("header_size"));
    o.header_sha256 = json.at("header_sha256").get<std::string>();
    if (!is_object_name(o.key) || o.header_size > o.size || o.size >> 62 != 0 ||
        o.packed_size >> 62 != 0)
        throw bk::Error(BK_E_CORRUPT, "the record of object '" + o.key + "' contradicts itself");
    return o;
}

ComponentRecord component_of(const Json& json) {
    ComponentRecord c;
    c.name = json.at("name").get<std::string>();
    c.type = json.at("type").get<std::string>();
    c.extension = json.at("extension").get<std::string>();
    c.format = json.at("format").get<std::string>();
    c.marker = text_at(json, "marker");
    c.layout = json.at("layout").dump();
    c.plain_size = whole_number(json.at("plain_size"));
    c.rows = number_at(json, "rows");
    c.frames = whole_number(json.at("frames"));
    if (!is_archive_name(c.name))
        throw bk::Error(BK_E_CORRUPT, "the component '" + c.name + "' has no name");
    for (const Json& volume : json_list(json.at("volumes")))
        c.volumes.push_back(object_of(volume));
    if (c.format == "sql" ? !is_marker_nonce(c.marker) : !c.marker.empty())
        throw bk::Error(BK_E_CORRUPT, "the marker of component '" + c.name + "' is not one");
    return c;
}

std::optional<CodecRecord> codec_of(const Json& json) {
    if (json.is_null()) return std::nullopt;
    CodecRecord c;
    c.driver = json.at("driver").get<std::string>();
    c.suffix = text_at(json, "suffix");
    c.decode_command = text_at(json, "decode_command");
    if (json.contains("options")) c.options = json["options"].get<OptionText>();
    if (json.contains("key_fingerprints"))
        c.key_fingerprints = json["key_fingerprints"].get<std::vector<std::string>>();
    return c;
}

TimeMs time_at(const Json& json, const char* key) {
    const std::optional<TimeMs> time = parse_time(json.at(key).get<std::string>());
    if (!time) throw bk::Error(BK_E_CORRUPT, std::string("'") + key + "' is not a time");
    return *time;
}

void read_members(const Json& json, Manifest& m) {
    m.id = json.at("id").get<std::string>();
    m.environment = json.at("environment").get<std::string>();
    m.tenant = text_at(json, "tenant");
    m.source = json.at("source").get<std::string>();
    m.job = text_at(json, "job");
    m.type = json.at("type").get<std::string>();
    m.parent = text_at(json, "parent");
    m.started_ms = time_at(json, "started_at");
    m.finished_ms = time_at(json, "finished_at");
    m.host = text_at(json, "host");
    m.created_by = text_at(json, "created_by");
    const Json& engine = json.at("engine");
    m.engine = {text_at(engine, "name"), text_at(engine, "version"), text_at(engine, "driver"),
                text_at(engine, "module"), text_at(engine, "module_version")};
    m.row_digest = text_at(json, "row_digest") == "rowsum-1";
    m.compressor = codec_of(json.at("compressor"));
    m.encryptor = codec_of(json.at("encryptor"));
    for (const Json& component : json_list(json.at("components")))
        m.components.push_back(component_of(component));
    m.index = object_of(json.at("index"));
    m.plain_size = whole_number(json.at("plain_size"));
    m.stored_size = whole_number(json.at("stored_size"));
    m.rows = number_at(json, "rows");
    m.warnings = whole_number(json.at("warnings"));
    if (!is_id(m.id) || (!m.parent.empty() && !is_id(m.parent)))
        throw bk::Error(BK_E_CORRUPT, "its id or its parent's is none");
    for (const std::string& name :
         {m.environment, m.source, m.tenant.empty() ? m.source : m.tenant})
        if (!is_archive_name(name) || name == kGlobalTenant)
            throw bk::Error(BK_E_CORRUPT, "'" + name + "' is not a name");
}

void check_readable(const Json& json) {
    if (json.at("format") != "bkhost-archive")
        throw bk::Error(BK_E_CORRUPT, "not the manifest of a bkhost archive");
    const uint64_t version = whole_number(json.at("version"));
    if (version > kFormatVersion || version < 1)
        throw bk::Error(
            BK_E_UNSUPPORTED, "format version " + std::to_string(version) + " is not known",
            "use a newer bkhost (the archive was written by " + text_at(json, "created_by") + ")");
    for (const Json& feature : json_list(json.at("requires")))
        throw bk::Error(BK_E_UNSUPPORTED,
                        "the archive requires '" + feature.get<std::string>() +
                            "', which this program does not know",
                        "use a newer bkhost (the archive was written by " +
                            text_at(json, "created_by") + ")");
}

} // namespace

std::vector<ObjectRecord> Manifest::objects() const {
    std::vector<ObjectRecord> all;
    for (const ComponentRecord& component : components)
        all.insert(all.end(), component.volumes.begin(), component.volumes.end());
    all.push_back(index);
    return all;
}

std::string manifest_text(Manifest& manifest) {
    std::string text = manifest_json(manifest).dump(1);
    text.resize(text.size() - 2); // "\n}": the digest comes before the closing brace
    text += ",\n";
    manifest.sha256 = sha256_hex(as_bytes(text));
    return text.append(kDigestKey).append(manifest.sha256).append("\"}\n");
}

Manifest parse_manifest(std::string_view text, const std::string& object) {
    static const std::string kHint =
        "the copy is damaged: restore from another storage, or see 'bkhost verify'";
    const size_t last = text.rfind(kDigestKey);
    if (last == std::string_view::npos || last == 0 || text[last - 1] != '\n' ||
        text.size() != last + kDigestKey.size() + 64 + 3 || !text.ends_with("\"}\n"))
        throw bk::Error(BK_E_CORRUPT,
                        object + ": the manifest is damaged (its last line is missing)", kHint);
    Manifest manifest;
    manifest.sha256 = text.substr(last + kDigestKey.size(), 64);
    if (sha256_hex(as_bytes(text.substr(0, last))) != manifest.sha256)
        throw bk::Error(BK_E_CORRUPT, object + ": the manifest is damaged (its sha256 differs)",
                        kHint);
    try {
        check_json_depth(text);
        const Json json = Json::parse(text);
        check_readable(json);
        read_members(json, manifest);
    } catch (const nlohmann::json::exception& e) {
        throw bk::Error(BK_E_CORRUPT, object + ": the manifest cannot be read: " + e.what(), kHint);
    } catch (const bk::Error& e) {
        throw bk::Error(e.status(), object + ": " + e.what(), e.hint().empty() ? kHint : e.hint());
    }
    return manifest;
}

} // namespace bkhost
