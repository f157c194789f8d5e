// The driver "synthetic": a database made of nothing but a seed.
#pragma once

#include "pattern.hpp"
#include "synthetic_layout.hpp"

#include <bkhost/dumper.hpp>

#include <atomic>

namespace synthetic {

inline constexpr bk_option kDumperOptions[] = {
    bk::option("size", BK_OPT_SIZE, "bytes of all units together", "64MiB", "1..",
               BK_OPT_URL_TARGET),
    bk::option("ratio", BK_OPT_INT, "how well it compresses: 3 is about 3:1 with zstd at level 1",
               "3", "1..20"),
    bk::option("units", BK_OPT_INT, "how many parts can be read at once", "4", "1..1024"),
    bk::option("fragment", BK_OPT_SIZE, "bytes between two cuts; without it what the host asks for",
               nullptr, "1..1GiB"),
    bk::option("seed", BK_OPT_INT, "another seed, another content", "1", "0.."),
};

/// dump() from several threads, the rest confined, as the contract says.
class SyntheticDumper : public bk::Dumper {
public:
    SyntheticDumper(bk::Host host, bk::Config config);

    std::string probe() override;
    std::string inspect(const char* request) override;
    std::string dump_begin(const char* request) override;
    void plan(const Units& unit) override;
    void dump(uint32_t number, bk::Sink sink) override;
    void dump_end(bool ok) override;
    std::unique_ptr<bk::LoadSession> load_begin(const char* request) override;

private:
    bk::Host host_;
    Layout layout_;
    uint64_t fragment_; ///< 0: the host's target
    std::unique_ptr<const Pattern> pattern_;
    std::atomic<uint64_t> dumped_{0};
};

} // namespace synthetic
