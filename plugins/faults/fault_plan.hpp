// All faults of one configured driver, and how often each function was called so far.
#pragma once

#include "call_log.hpp"
#include "fault.hpp"

#include <bkhost/plugin.hpp>

#include <atomic>
#include <deque>
#include <vector>

namespace faults {

/// Belongs to the process: an instance that cleans up after another one goes on with its count.
/// Thread-safe.
class FaultPlan {
public:
    FaultPlan(bk::Config config, std::span<const Function> functions);

    /// That of every instance with the same options. Throws CONFIG.
    static FaultPlan& of(bk::Config config, std::string_view kind,
                         std::span<const Function> functions);

    /// Counts and logs the call; the faults that it shall have, in the order given.
    [[nodiscard]] std::vector<const Fault*> call(const Call& call);
    /// Whether some fault of that function loses data of an upload.
    [[nodiscard]] bool loses(std::string_view function) const noexcept;

private:
    struct Counted {
        Fault fault;
        std::string text;
        std::atomic<uint64_t> calls{0};
    };
    std::deque<Counted> faults_; ///< grows at the beginning only
    CallLog log_;
};

} // namespace faults
