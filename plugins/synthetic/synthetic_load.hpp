// A restore of a synthetic database: nothing is kept, every byte is compared with what the seed
// gives, and at the end each one must have come exactly once.
#pragma once

#include "pattern.hpp"
#include "synthetic_layout.hpp"

#include <bkhost/dumper.hpp>

#include <map>
#include <mutex>

namespace synthetic {

/// load() from several threads at once.
class SyntheticLoad : public bk::LoadSession {
public:
    SyntheticLoad(bk::Host host, const Layout& layout);

    uint32_t parallel() noexcept override { return 8; }
    void load(const bk_load_unit& unit, bk::Source source) override;
    void end(bool ok) override;

private:
    using Ranges = std::map<uint64_t, uint64_t>; ///< begin → end, neighbours joined

    [[nodiscard]] uint32_t unit_of(const bk_section& section) const;
    void mark(uint32_t unit, uint64_t begin, uint64_t end);

    bk::Host host_;
    const Layout layout_;
    const Pattern pattern_;
    std::mutex mutex_;
    std::vector<Ranges> seen_; ///< by unit
};

} // namespace synthetic
