#include "wrapper.hpp"

#include <csignal>
#include <cstdlib>
#include <thread>

namespace faults {
namespace {

bk::Error error_of(const Fault& fault, const Call& call) {
    bk::Error error(fault.status,
                    "injected into " + std::string(call.function) + ": " +
                        bk::status_name(fault.status),
                    "take the fault out of the configuration");
    error.flags = fault.flags;
    return error;
}

/// The faults after which nothing comes.
void end_process(const Fault& fault) {
    switch (fault.action) {
    case Action::crash: std::abort();
    case Action::segv:
        std::signal(SIGSEGV, SIG_DFL); // a sanitizer's handler would make it an exit
        std::raise(SIGSEGV);
        return;
    case Action::exit: std::exit(fault.exit_status); // NOLINT: that is the fault
    default: return;
    }
}

} // namespace

Verdict Wrapper::begin(const Call& call) {
    uint64_t epoch = 0;
    {
        const std::lock_guard lock(mutex_);
        epoch = interrupts_;
    }
    Verdict verdict;
    for (const Fault* fault : plan_.call(call)) {
        switch (fault->action) {
        case Action::stall:
        case Action::block:
        case Action::hang: wait(*fault, epoch); break;
        case Action::flip: verdict.flip = true; break;
        case Action::shorten: verdict.shorten = true; break;
        case Action::truncate: verdict.truncate = true; break;
        case Action::drop: verdict.drop = true; break;
        case Action::escape: verdict.escape = true; break;
        case Action::raise: throw std::runtime_error("thrown by the wrapper");
        case Action::error:
            if (!fault->after) throw error_of(*fault, call);
            verdict.after.emplace(error_of(*fault, call));
            break;
        case Action::crash:
        case Action::segv:
        case Action::exit: end_process(*fault); break;
        }
    }
    return verdict;
}

void Wrapper::wait(const Fault& fault, uint64_t epoch) {
    const auto end = std::chrono::steady_clock::now() + fault.time;
    if (fault.action == Action::hang) return std::this_thread::sleep_until(end);
    std::unique_lock lock(mutex_);
    while (std::chrono::steady_clock::now() < end) {
        if (interrupts_ != epoch || (fault.action == Action::stall && host_.cancelled()))
            throw bk::Error(BK_E_CANCELLED, "cancelled");
        woken_.wait_until(
            lock, std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(50)));
    }
}

void Wrapper::interrupt() noexcept {
    const std::lock_guard lock(mutex_);
    ++interrupts_;
    woken_.notify_all();
}

void Wrapper::throw_out(const Call& call) {
    throw std::runtime_error("thrown out of " + std::string(call.function));
}

std::vector<uint8_t> flipped(const void* data, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    std::vector<uint8_t> copy(bytes, bytes + size);
    if (size > 0) copy[size / 2] ^= 0x10;
    return copy;
}

} // namespace faults
