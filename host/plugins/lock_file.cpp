// A damaged lock must not open the door: any problem with it counts against every plugin.
#include "host/plugins/lock_file.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <filesystem>
#include <span>

namespace bkhost {
namespace {

constexpr uint64_t kMaxLock = 1024 * 1024;

/// "<64 hex digits>  <file>", or " *<file>" as sha256sum -b writes; false when it is neither.
bool parse_line(const std::string& line, std::map<std::string, std::string>& sums) {
    if (line.size() < 67 || line[64] != ' ' || (line[65] != ' ' && line[65] != '*')) return false;
    std::string sum = line.substr(0, 64);
    std::transform(sum.begin(), sum.end(), sum.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const std::string name = line.substr(66);
    return from_hex(sum) && name.find('/') == std::string::npos && sums.emplace(name, sum).second;
}

std::string parse(const std::string& text, std::map<std::string, std::string>& sums) {
    for (const std::string& line : split(text, '\n'))
        if (line[0] != '#' && !parse_line(line, sums))
            return "plugins.lock has a malformed or repeated line: '" + line.substr(0, 80) + "'";
    return "";
}

} // namespace

std::optional<LockFile> LockFile::find(const std::string& directory, bool privileged) {
    const std::string path = directory + "/plugins.lock";
    std::error_code error;
    if (std::filesystem::symlink_status(path, error).type() ==
        std::filesystem::file_type::not_found)
        return std::nullopt;
    LockFile lock;
    try {
        const PluginFile file(path);
        std::string text(std::min(file.id().size, kMaxLock + 1), '\0');
        const std::span<uint8_t> bytes(reinterpret_cast<uint8_t*>(text.data()), text.size());
        if (const std::string why = file.distrust(privileged); !why.empty())
            lock.problem_ = "plugins.lock is not trusted: " + why;
        else if (text.size() > kMaxLock)
            lock.problem_ = "plugins.lock is too large";
        else
            lock.problem_ =
                file.read(0, bytes) ? parse(text, lock.sums_) : "plugins.lock cannot be read";
    } catch (const bk::Error& failure) {
        lock.problem_ = failure.message();
    }
    return lock;
}

std::string LockFile::refusal(const std::string& name, const PluginFile& file) const {
    if (!problem_.empty()) return problem_;
    const auto entry = sums_.find(name);
    if (entry == sums_.end()) return "plugins.lock does not list it";
    const std::string sum = file.sha256();
    return sum == entry->second ? "" : "its SHA-256 is " + sum + ", and plugins.lock has another";
}

} // namespace bkhost
