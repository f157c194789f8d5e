// Leases: the right to run, held by a process for a limited time and renewed by it; how one tells
// that the holder is dead; and the thread that renews. The rows themselves are the catalog's.
#pragma once

#include "core/base/clock.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace bkhost {

class Catalog;

inline constexpr int64_t kLeaseTtlMs = 60'000;

/// A process, so named that neither a reused pid nor a reboot nor another container is taken for
/// it.
struct Owner {
    int64_t pid = 0;
    uint64_t start_ticks = 0;   ///< /proc/PID/stat, field 22
    std::string boot_id;        ///< /proc/sys/kernel/random/boot_id
    uint64_t pid_namespace = 0; ///< inode of /proc/self/ns/pid
    std::string host_name;
    int64_t uid = 0;

    bool operator==(const Owner&) const = default;
};

enum class Presence : uint8_t { alive, gone, unknown };

/// The seam to the system's processes. Thread-safe. The default one reads /proc.
class ProcessProbe {
public:
    virtual ~ProcessProbe() = default;
    /// This process.
    [[nodiscard]] virtual Owner self() const;
    /// Of a process of this boot and pid namespace. A zombie is gone; `unknown` when /proc does not
    /// let us see (hidepid, another user).
    [[nodiscard]] virtual Presence presence(int64_t pid, uint64_t start_ticks) const;
    [[nodiscard]] static const ProcessProbe& system();
};

/// A lease as it stands in the catalog. Holding a copy of it with the right epoch is holding it.
struct Lease {
    std::string name; ///< "backup:<id>", "restore:<id>", "run#0"
    Owner owner;
    TimeMs acquired_ms = 0;
    TimeMs heartbeat_ms = 0;       ///< wall clock
    int64_t heartbeat_mono_ms = 0; ///< monotonic clock: comparable within one boot
    int64_t ttl_ms = kLeaseTtlMs;
    int64_t epoch = 0; ///< fencing number: new, and larger, each time a lease changes hands
};

/// Whether the holder is dead, seen from `self`:
/// - same boot and pid namespace, and the process is gone: dead at once;
/// - same boot otherwise: when the heartbeat is older than the ttl by the monotonic clock, which
///   neither a set clock nor a suspended machine moves;
/// - same host name and another boot: dead at once;
/// - else: when it is older by the wall clock.
[[nodiscard]] bool is_dead(const Lease& lease, const Owner& self, const ProcessProbe& probe,
                           const Clock& clock);

/// Keeps a lease alive from a thread of its own, every third of its ttl, until destroyed.
/// The destructor stops the thread and releases the lease if it is still held (after finish_backup
/// there is nothing left to release). Thread-safe.
class LeaseKeeper {
public:
    /// `on_lost` is called once, from the keeper's thread, when the lease has another holder or
    /// could not be renewed for as long as its ttl: whoever runs under it must stop. It must not
    /// destroy the keeper. The catalog must outlive it.
    LeaseKeeper(Catalog& catalog, Lease lease, std::function<void()> on_lost);
    ~LeaseKeeper();
    LeaseKeeper(const LeaseKeeper&) = delete;
    LeaseKeeper& operator=(const LeaseKeeper&) = delete;

    /// For the calls that are fenced by it.
    [[nodiscard]] const Lease& lease() const noexcept;
    [[nodiscard]] bool lost() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace bkhost
