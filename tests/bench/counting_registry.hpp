// A registry that counts the calls across the plugin boundary during a backup: it hands the real
// drivers out with the often-called slots replaced by ones that count and go on. One a process.
#pragma once

#include "core/driver/registry.hpp"

#include <cstdint>

namespace bkhost::bench {

/// How often each slot was called, in either direction.
struct CallCounts {
    uint64_t process = 0;                    ///< of the compressor
    uint64_t write = 0, cut = 0;             ///< of the sink, by the dumper
    uint64_t part = 0;                       ///< parts to the storage
    uint64_t is_cancelled = 0, progress = 0; ///< of the host, by any driver

    [[nodiscard]] uint64_t all() const noexcept {
        return process + write + cut + part + is_cancelled + progress;
    }
};

/// Thread-safe. `inner` outlives it. One driver of a kind, and no more; encryptors are not counted.
class CountingRegistry final : public Registry {
public:
    explicit CountingRegistry(Registry& inner) noexcept : inner_(inner) {}
    [[nodiscard]] const DriverDescription& describe(std::string_view kind,
                                                    std::string_view name) override {
        return inner_.describe(kind, name);
    }
    [[nodiscard]] const DriverDescription* find_scheme(std::string_view kind,
                                                       std::string_view scheme) override {
        return inner_.find_scheme(kind, scheme);
    }
    [[nodiscard]] std::vector<std::string> names(std::string_view kind) override {
        return inner_.names(kind);
    }
    [[nodiscard]] const bk_component& load(std::string_view kind, std::string_view name) override;

    [[nodiscard]] static CallCounts counts() noexcept;

private:
    Registry& inner_;
};

} // namespace bkhost::bench
