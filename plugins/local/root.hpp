// The root directory and its marker: opened anew for each operation, so that a mount that comes or
// goes is noticed, and made at the first write. A root without a marker is never taken as empty.
#pragma once

#include "file.hpp"
#include "settings.hpp"

#include <atomic>
#include <string>

namespace local {

/// Thread-safe.
class Root {
public:
    explicit Root(Settings settings) : settings_(std::move(settings)) {}

    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }

    /// For whatever reads or removes. A directory that is absent fails with `when_absent`, one
    /// without the marker with UNAVAILABLE.
    [[nodiscard]] Descriptor open(bk_status when_absent);
    /// For whatever writes: makes the directory and the marker if the settings allow it.
    [[nodiscard]] Descriptor open_or_create();

    /// Throws CONFIG when the root is the source, lies inside it, or holds it. Compares the
    /// directories themselves and not their names.
    void refuse_source(const std::string& source) const;
    /// Writes, syncs and removes a file in the root.
    void try_write(int root) const;

private:
    [[nodiscard]] Descriptor create() const;
    void mark(int root) const;

    Settings settings_;
    std::atomic<bool> seen_marked_ = false; ///< then it is never initialised again
};

} // namespace local
