// What a run tells of its progress while it goes on. The host shows it; tests count it.
#pragma once

#include <cstdint>
#include <string>

namespace bkhost {

/// Thread-safe. The default one ignores everything.
class RunObserver {
public:
    virtual ~RunObserver() = default;
    /// A new piece of work begins: what was counted so far belongs to another one.
    virtual void begin() {}
    /// What is done from now on; `total_bytes` of plain bytes in this piece of work, 0 unknown.
    virtual void stage(const std::string&, uint64_t /*total_bytes*/) {}
    virtual void add_plain(uint64_t) {}  ///< bytes from or to the database
    virtual void add_stored(uint64_t) {} ///< bytes to or from the storages
    virtual void add_rows(uint64_t) {}
};

} // namespace bkhost
