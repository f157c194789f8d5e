// Restores: what both formats share, and the page image. The SQL script is in sql_load.hpp.
#pragma once

#include "target_file.hpp"

#include <bkhost/dumper.hpp>

namespace sqlite_driver {

enum class IntegrityCheck { none, quick, full };

/// Runs PRAGMA quick_check or integrity_check on a file that nobody else knows; throws CORRUPT with
/// the first complaint. A check that cannot run for want of an extension (collation, module) is a
/// warning.
void check_integrity(const std::string& path, IntegrityCheck level, bk::Host host,
                     const Cancel& cancel);

/// Writes the pages where they belong.
class ImageLoad : public bk::LoadSession {
public:
    /// `size`: bytes of the whole image, from the layout of the dump.
    ImageLoad(std::unique_ptr<TargetFile> target, uint64_t size, IntegrityCheck check,
              bk::Host host, const Cancel& cancel);
    void load(const bk_load_unit& unit, bk::Source source) override;
    void end(bool ok) override;

private:
    void write_back() noexcept;

    std::unique_ptr<TargetFile> target_;
    uint64_t size_, written_ = 0;
    uint64_t given_to_disk_ = 0; ///< bytes that the system was asked to write
    IntegrityCheck check_;
    bk::Host host_;
    const Cancel& cancel_;
    std::vector<uint8_t> buffer_;
};

} // namespace sqlite_driver
