// A storage opened for one piece of work of its own, beside those of a run: clean-up, deletion,
// marks.
#pragma once

#include "core/driver/storage.hpp"
#include "core/job/context.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <utility>

namespace bkhost {

/// `stop` ends its calls, also those that block.
struct OwnStorage {
    OwnStorage(Log& log, const std::string& name, DriverPtr driver, const std::stop_token& stop)
        : services(log, stop), storage(name, std::move(driver), services),
          wake(stop, [this] { storage.interrupt(); }) {}
    OwnStorage(const JobContext& context, const NamedDriver& named)
        : OwnStorage(context.log, named.name,
                     set_up(context.registry, kStorage, named.spec, "storage '" + named.name + "'"),
                     context.stop) {}

    Services services;
    Storage storage;
    std::stop_callback<std::function<void()>> wake;
};

} // namespace bkhost
