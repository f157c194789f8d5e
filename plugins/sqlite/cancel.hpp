// One answer to "shall this work go on?": the host's flag and interrupt() together.
#pragma once

#include <bkhost/plugin.hpp>

#include <atomic>

namespace sqlite_driver {

/// Thread-safe.
class Cancel {
public:
    explicit Cancel(bk::Host host) noexcept : host_(host) {}

    void raise() noexcept { raised_ = true; }
    [[nodiscard]] bool raised() const noexcept { return raised_ || host_.cancelled(); }
    /// Throws CANCELLED.
    void check() const {
        if (raised()) throw bk::Error(BK_E_CANCELLED, "cancelled");
    }

private:
    bk::Host host_;
    std::atomic<bool> raised_{false};
};

} // namespace sqlite_driver
