// Feeds a dump to a load session from its first byte to its last, without the index: for an archive
// whose index is damaged or lost.
#pragma once

#include "core/archive/plain_reader.hpp"
#include "core/driver/dumper.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace bkhost {

/// Confined. SQL is cut at its section markers, and a piece is what follows one marker; any other
/// format is one ordered section, whose kind is the format's name, in one piece.
class SequentialLoad {
public:
    /// References must outlive it; the manifest has one component.
    SequentialLoad(const ArchiveAccess& access, const Manifest& manifest,
                   const DriverPtr& compressor, LoadSession& session);

    /// Returns when every volume was read to its end and was as the manifest says. Throws CORRUPT
    /// else, and for a stream that breaks the format's rules.
    void run();
    [[nodiscard]] uint64_t bytes() const noexcept { return bytes_; }

private:
    void load_sections();
    void load_whole();

    const ArchiveAccess access_;
    const Manifest& manifest_;
    const ComponentRecord& component_;
    LoadSession& session_;
    DumpReader dump_;
    uint64_t bytes_ = 0;
};

} // namespace bkhost
