// What every piece of work needs from the host.
#pragma once

#include "core/base/clock.hpp"
#include "core/base/log.hpp"
#include "core/catalog/catalog.hpp"
#include "core/driver/registry.hpp"
#include "core/pipeline/run_observer.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace bkhost {

/// References must outlive the work.
struct JobContext {
    Registry& registry;
    Catalog& catalog;
    Log& log;
    RunObserver& observer;
    std::stop_token stop;
    const Clock& clock = Clock::system();
    std::string program;      ///< "bkhost 0.1.0"
    std::string host_name;    ///< of this machine
    std::string initiated_by; ///< who asked
};

/// A configured storage or one made from a URL.
struct NamedDriver {
    std::string name;
    DriverSpec spec;
};

/// The options with which an encryptor driver decrypts: identities that the host knows of.
using DecryptOptions = std::function<OptionText(const std::string& driver)>;

/// How to open the storage of a copy again: by its configured name, else by the place in the row.
using OpenStorage = std::function<NamedDriver(const CopyRow&)>;

} // namespace bkhost
