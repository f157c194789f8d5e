// What every wrapping instance does around a call: count it, log it, and let it go wrong.
#pragma once

#include "fault_plan.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>

namespace faults {

/// What is left to do for the function itself; everything else happened in Wrapper::begin.
struct Verdict {
    bool flip = false, shorten = false, truncate = false, drop = false, escape = false;
    std::optional<bk::Error> after;
};

/// The options that all wrapping drivers have.
inline constexpr bk_option kWrapperOptions[] = {
    bk::option("plugin", BK_OPT_PATH, "the .so of the driver that is wrapped"),
    bk::option("driver-name", BK_OPT_STRING, "that driver's name"),
    bk::option("options", BK_OPT_JSON, "its options, a JSON object", "{}"),
    bk::option("fault", BK_OPT_STRING, "FUNCTION[@KEY]:WHEN:ACTION", nullptr, nullptr,
               BK_OPT_REPEATED),
    bk::option("log", BK_OPT_PATH, "file that gets a line for each call"),
};

/// One an instance. Thread-safe.
class Wrapper {
public:
    Wrapper(bk::Host host, FaultPlan& plan) : host_(host), plan_(plan) {}

    /// Does what the call's faults do before the wrapped driver is asked: waits, throws, ends the
    /// process. The rest is in the verdict.
    [[nodiscard]] Verdict begin(const Call& call);
    /// Ends the waits that began before.
    void interrupt() noexcept;

    [[nodiscard]] const FaultPlan& plan() const noexcept { return plan_; }

    /// Runs a call of the C ABI: its faults, then `body(verdict)`, which gives the wrapped driver's
    /// status and has filled `error` where that failed.
    template <class Body>
    bk_status run(const Call& call, bk_error* error, Body&& body) noexcept {
        bool escape = false;
        const bk_status status = bk::guard(error, [&]() -> bk_status {
            const Verdict verdict = begin(call);
            escape = verdict.escape;
            if (escape) return BK_OK;
            const bk_status answer = body(verdict);
            if (verdict.after && answer < BK_E_INTERNAL) throw bk::Error(*verdict.after);
            return answer;
        });
        if (escape) throw_out(call);
        return status;
    }

private:
    [[noreturn]] static void throw_out(const Call& call);
    void wait(const Fault& fault, uint64_t epoch);

    bk::Host host_;
    FaultPlan& plan_;
    std::mutex mutex_;
    std::condition_variable woken_;
    uint64_t interrupts_ = 0;
};

/// The data with one bit changed, in the middle.
[[nodiscard]] std::vector<uint8_t> flipped(const void* data, size_t size);

} // namespace faults
