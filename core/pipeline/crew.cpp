#include "core/pipeline/crew.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

Crew::Crew(std::stop_token outer)
    : link_(std::move(outer), std::function<void()>([this] { stop_.request_stop(); })) {}

Crew::~Crew() {
    stop_.request_stop();
    (void)wait();
}

void Crew::start(std::function<void()> body) {
    threads_.emplace_back([this, work = std::move(body)] { run(work); });
}

void Crew::run(const std::function<void()>& body) noexcept {
    try {
        body();
    } catch (const std::exception&) {
        fail(std::current_exception());
    }
}

void Crew::fail(std::exception_ptr error) noexcept {
    bool is_cancel = false;
    try {
        std::rethrow_exception(error);
    } catch (const bk::Error& e) {
        is_cancel = e.cancelled();
    } catch (const std::exception&) {
        is_cancel = false;
    }
    {
        const std::lock_guard lock(mutex_);
        // Threads that are stopped because of another one's failure report CANCELLED: the cause
        // wins.
        if (!first_ || (first_is_cancel_ && !is_cancel)) {
            first_ = std::move(error);
            first_is_cancel_ = is_cancel;
        }
    }
    stop_.request_stop();
}

bool Crew::wait() noexcept {
    for (std::thread& thread : threads_)
        if (thread.joinable()) thread.join();
    threads_.clear();
    const std::lock_guard lock(mutex_);
    return !first_ && !stop_.stop_requested();
}

void Crew::join() {
    (void)wait();
    check();
}

void Crew::check() {
    const std::lock_guard lock(mutex_);
    if (first_) std::rethrow_exception(first_);
    if (stop_.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
}

} // namespace bkhost
