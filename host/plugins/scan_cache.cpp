// The file: {"format":1,"abi":"0.1","plugins":{PATH:{"device","inode","size","modified_ns", and
// "module" or "problem"}}}.
#include "host/plugins/scan_cache.hpp"

#include <bkhost/abi.h>
#include <bkhost/error.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace bkhost {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr off_t kMaxCache = 64 * 1024 * 1024;

/// Another host may see other problems in the same plugin.
std::string abi() { return std::to_string(BK_ABI_MAJOR) + "." + std::to_string(BK_ABI_MINOR); }

/// A descriptor that closes itself.
class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

/// The text of a file of our own; "" when it does not exist.
std::string read_own_file(const std::string& path) {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (fd.get() < 0 && errno == ENOENT) return "";
    struct stat status {};
    if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) bk::throw_errno(errno, path);
    if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid() ||
        (status.st_mode & (S_IWGRP | S_IWOTH)) != 0 || status.st_size > kMaxCache)
        throw bk::Error(BK_E_DENIED, path + ": not a file of this user alone");
    std::string text(static_cast<size_t>(status.st_size), '\0');
    size_t at = 0;
    while (at < text.size()) {
        const ssize_t got = ::read(fd.get(), text.data() + at, text.size() - at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) bk::throw_errno(errno, path);
        if (got == 0) break;
        at += static_cast<size_t>(got);
    }
    text.resize(at);
    return text;
}

/// Creates or replaces the file; a reader sees the old text or the new one.
void replace_file(const std::string& path, std::string_view text) {
    const fs::path directory = fs::path(path).parent_path();
    std::error_code error;
    fs::create_directories(directory, error);
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) bk::throw_errno(errno, directory.string());
    // Root with another user's HOME must not leave files there that the user cannot replace.
    if (status.st_uid != ::geteuid())
        throw bk::Error(BK_E_DENIED, directory.string() + ": belongs to another user");
    std::string temporary = path + ".XXXXXX";
    const Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC)); // mode 0600
    if (fd.get() < 0) bk::throw_errno(errno, temporary);
    const bool written =
        ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return;
    const int number = written ? errno : ENOSPC;
    ::unlink(temporary.c_str());
    bk::throw_errno(number, path);
}

json to_json(const FileId& id, const ScanResult& result) {
    json entry{{"device", id.device},
               {"inode", id.inode},
               {"size", id.size},
               {"modified_ns", id.modified_ns}};
    if (result.module)
        entry["module"] = json::parse(module_to_json(*result.module));
    else
        entry["problem"] = result.problem;
    return entry;
}

} // namespace

ScanCache::ScanCache(std::string file, Log& log) : file_(std::move(file)), log_(log) {
    if (file_.empty()) return;
    try {
        read();
    } catch (const bk::Error& error) {
        entries_.clear();
        log_.debug("the cache of plugin scans is not used: " + error.message());
    } catch (const json::exception& error) {
        entries_.clear();
        log_.debug("the cache of plugin scans '" + file_ + "' is damaged: " + error.what());
    }
}

void ScanCache::read() {
    const std::string text = read_own_file(file_);
    if (text.empty()) return;
    const json whole = json::parse(text);
    if (whole.at("format") != kFormat || whole.at("abi") != abi()) return;
    for (const auto& [path, from] : whole.at("plugins").items()) {
        Entry entry{{from.at("device"), from.at("inode"), from.at("size"), from.at("modified_ns")},
                    {}};
        if (from.contains("problem"))
            entry.result.problem = from.at("problem");
        else
            entry.result.module = module_from_json(from.at("module").dump());
        if (entry.result.module || !entry.result.problem.empty())
            entries_.emplace(path, std::move(entry));
    }
}

std::optional<ScanResult> ScanCache::find(const std::string& path, const FileId& id) const {
    const auto entry = entries_.find(path);
    if (entry == entries_.end() || entry->second.id != id) return std::nullopt;
    return entry->second.result;
}

void ScanCache::put(const std::string& path, const FileId& id, const ScanResult& result) {
    if (!result.lasting) return;
    entries_.insert_or_assign(path, Entry{id, result});
    changed_ = true;
}

void ScanCache::save() {
    if (!changed_) return;
    changed_ = false;
    if (file_.empty()) return;
    std::erase_if(entries_, [](const auto& entry) {
        std::error_code error;
        return !fs::exists(entry.first, error) && !error;
    });
    try {
        write();
    } catch (const bk::Error& error) {
        log_.debug("the cache of plugin scans is not written: " + error.message());
    }
}

void ScanCache::write() const {
    json plugins = json::object();
    for (const auto& [path, entry] : entries_)
        plugins[path] = to_json(entry.id, entry.result);
    const json whole{{"format", kFormat}, {"abi", abi()}, {"plugins", std::move(plugins)}};
    replace_file(file_, whole.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

} // namespace bkhost
