// The services that the host lends to a driver instance (bk_host), and a driver ready to be
// instantiated.
#pragma once

#include "core/base/log.hpp"
#include "core/driver/registry.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bkhost {

/// What a driver warned of; ends up in the index and in the catalog.
struct Warning {
    std::string code, object, text;
};

/// Backs the bk_host of every instance of one job. Thread-safe. Outlives the instances.
class Services {
public:
    Services(Log& log, std::stop_token stop);
    Services(const Services&) = delete;
    Services& operator=(const Services&) = delete;

    [[nodiscard]] const bk_host* host() const noexcept { return &host_; }
    [[nodiscard]] const std::stop_token& stop() const noexcept { return stop_; }
    [[nodiscard]] Log& log() const noexcept { return log_; }
    /// All warnings so far, in the order in which they came.
    [[nodiscard]] std::vector<Warning> warnings() const;

private:
    Log& log_;
    std::stop_token stop_;
    mutable std::mutex mutex_;
    std::vector<Warning> warnings_;
    bk_host host_;
};

/// A loaded driver and its checked options. Immutable once made; shared by the workers that
/// create instances of it.
struct DriverSetup {
    DriverDescription description;
    const bk_component* component;
    OptionValues values;

    template <class Table>
    [[nodiscard]] const Table& table() const noexcept {
        return *static_cast<const Table*>(component->vtable);
    }
    /// A driver's extension, or nullptr.
    template <class Table>
    [[nodiscard]] const Table* extension(const char* id) const noexcept {
        return component->get_extension == nullptr
                   ? nullptr
                   : static_cast<const Table*>(component->get_extension(id));
    }
};
using DriverPtr = std::shared_ptr<const DriverSetup>; // shared: instances live in several threads

/// Loads the driver and checks its options. `object` names it in messages ("storage 'here'").
/// Throws CONFIG.
[[nodiscard]] DriverPtr set_up(Registry& registry, std::string_view kind, const DriverSpec& spec,
                               const std::string& object);

/// Interrupts an instance once its job is cancelled, so that no call of it goes on blocking. A
/// member of the handle, made after the instance and let go before it.
using CancelLink = std::optional<std::stop_callback<std::function<void()>>>;

/// The lock that a driver's thread model asks for around each call.
class CallLock {
public:
    explicit CallLock(const bk_component& component) noexcept;
    /// Holds the lock, or nothing for a driver that needs none.
    [[nodiscard]] std::unique_lock<std::mutex> take();

private:
    std::mutex own_;
    std::mutex* mutex_;
};

} // namespace bkhost
