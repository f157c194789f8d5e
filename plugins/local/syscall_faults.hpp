// For tests: system calls that fail on demand, and a record of those that make data durable. The
// functions of these names in syscall_faults.cpp stand before the C library's.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace local {

/// While one lives, each call is first shown to its function, which gives 0 to let it through or an
/// errno to fail with. One at a time; set before threads start.
class SyscallFaults {
public:
    SyscallFaults();
    ~SyscallFaults();
    SyscallFaults(const SyscallFaults&) = delete;
    SyscallFaults& operator=(const SyscallFaults&) = delete;

    using Judge = std::function<int(const std::string& path)>;
    Judge on_sync;                 ///< fsync, with the path of the descriptor
    Judge on_rename;               ///< renameat2, with the new name
    Judge on_link;                 ///< linkat, with the new name
    Judge on_lock;                 ///< flock, with the path of the descriptor
    std::function<int()> on_write; ///< pwrite
    size_t write_limit = 0;        ///< no pwrite takes more bytes than this; 0: as many as it wants

    /// "sync PATH", "rename NAME", "link NAME", as they succeeded.
    std::vector<std::string> done;
};

} // namespace local
