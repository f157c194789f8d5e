// Remembers what scans found, crashes too, between runs of the host. Only ever saves time: whatever
// is wrong with the file, the plugins are scanned anew.
#pragma once

#include "core/base/log.hpp"
#include "host/plugins/plugin_file.hpp"
#include "host/plugins/scanner.hpp"

#include <map>
#include <optional>
#include <string>

namespace bkhost {

/// Confined to one thread.
class ScanCache {
public:
    /// Reads the file; "" for a cache that remembers nothing beyond this object. A file that others
    /// could have written is not believed.
    ScanCache(std::string file, Log& log);
    /// What was found in the file of that path, if it is still the same.
    [[nodiscard]] std::optional<ScanResult> find(const std::string& path, const FileId& id) const;
    void put(const std::string& path, const FileId& id, const ScanResult& result);
    /// Replaces the file in one step, if there is anything new; forgets files that are gone.
    void save();

private:
    struct Entry {
        FileId id;
        ScanResult result;
    };
    void read();
    void write() const;

    std::string file_;
    Log& log_;
    std::map<std::string, Entry> entries_;
    bool changed_ = false;
};

} // namespace bkhost
