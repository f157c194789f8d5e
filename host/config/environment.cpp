// The process's own environment behind the seam.
#include "host/config/environment.hpp"

#include <cstdlib>

namespace bkhost {

Environment Environment::process() {
    Environment environment;
    environment.get = [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        if (value == nullptr) return std::nullopt;
        return value;
    };
    return environment;
}

} // namespace bkhost
