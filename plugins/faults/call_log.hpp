// A file with one line a call, for tests that count calls or wait for one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace faults {

struct Call {
    std::string_view function;
    std::string_view key = {}; ///< the object, the unit, the direction
    uint64_t offset = 0, bytes = 0;
};

/// Appends whole lines, so several processes may share the file. Thread-safe.
class CallLog {
public:
    /// "" logs nothing. Throws when the file cannot be opened.
    explicit CallLog(const std::string& path);
    ~CallLog();
    CallLog(const CallLog&) = delete;
    CallLog& operator=(const CallLog&) = delete;

    /// "function TAB key TAB offset TAB bytes TAB faults"; before the call is made.
    void add(const Call& call, std::string_view faults) const;

private:
    int file_ = -1;
};

} // namespace faults
