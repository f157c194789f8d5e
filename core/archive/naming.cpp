#include "core/archive/naming.hpp"

#include "core/base/clock.hpp"
#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace bkhost {
namespace {

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

std::string suffixes(std::string_view codec, std::string_view cipher) {
    std::string text;
    for (std::string_view suffix : {codec, cipher})
        if (!suffix.empty()) text.append(".").append(suffix);
    return text;
}

} // namespace

bool is_archive_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 64 && text.front() != '.' &&
           std::ranges::all_of(text, is_name_character);
}

std::string archive_prefix(std::string_view environment, std::string_view tenant,
                           std::string_view source, std::string_view id) {
    if (tenant == kGlobalTenant)
        throw bk::Error(BK_E_INVALID, "a tenant cannot be called '_global'", "choose another name");
    for (std::string_view part : {environment, source, tenant.empty() ? source : tenant})
        if (!is_archive_name(part))
            throw bk::Error(
                BK_E_INVALID, "'" + std::string(part) + "' cannot be part of an archive's key",
                "use 1 to 64 characters of A-Z a-z 0-9 . _ - and no dot at the beginning");
    std::string prefix(environment);
    prefix.append("/").append(tenant.empty() ? kGlobalTenant : tenant);
    return prefix.append("/").append(source).append("/").append(id).append("/");
}

std::optional<ArchiveLocation> parse_manifest_key(std::string_view key) {
    const std::vector<std::string> parts = split(key, '/');
    if (parts.size() != 5 || parts[4] != kManifestName || !is_id(parts[3])) return std::nullopt;
    for (size_t i = 0; i < 3; ++i)
        if (!is_archive_name(parts[i])) return std::nullopt;
    ArchiveLocation found;
    found.prefix = key.substr(0, key.size() - kManifestName.size());
    found.environment = parts[0];
    found.tenant = parts[1] == kGlobalTenant ? "" : parts[1];
    found.source = parts[2];
    found.id = parts[3];
    return found;
}

std::string volume_name(std::string_view component, std::string_view extension, uint32_t volume,
                        std::string_view codec, std::string_view cipher) {
    std::string name(component);
    if (volume > 0) {
        std::array<char, 16> number{};
        std::snprintf(number.data(), number.size(), ".%03u", volume);
        name += number.data();
    }
    if (!extension.empty()) name.append(".").append(extension);
    return name + suffixes(codec, cipher);
}

std::string index_name(std::string_view codec, std::string_view cipher, std::string_view rebuild) {
    std::string name("index");
    if (!rebuild.empty()) name.append(".").append(rebuild);
    return name + ".ndjson" + suffixes(codec, cipher);
}

} // namespace bkhost
