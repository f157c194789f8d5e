// What a run tells of its progress while it goes on. The host shows it; tests count it.
#pragma once

#include <cstdint>
#include <string>

namespace bkhost {

/// Thread-safe. The default one ignores everything.
class RunObserver {
public:
    virtual ~RunObserver() = default;
    /// A new stage of work; `total_bytes` of plain bytes to come, 0 unknown.
    virtual void stage(const std::string&, uint64_t /*total_bytes*/) {}
    virtual void add_plain(uint64_t) {}  ///< bytes from or to the database
    virtual void add_stored(uint64_t) {} ///< bytes to or from the storages
    virtual void add_rows(uint64_t) {}
};

} // namespace bkhost
