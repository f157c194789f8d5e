// An archive on one storage, opened for reading: manifest first, codec and cipher when they are
// needed.
#pragma once

#include "core/archive/frame_reader.hpp"
#include "core/archive/manifest.hpp"
#include "core/archive/section_reader.hpp"
#include "core/driver/storage.hpp"
#include "core/job/context.hpp"

#include <memory>
#include <string>

namespace bkhost {

/// Where an archive lies.
struct ArchivePlace {
    NamedDriver storage;
    std::string folder; ///< key prefix, ends in "/"
};

/// Confined, but for what it hands to a FrameReader. Throws NOT_FOUND when there is no manifest.
class OpenArchive {
public:
    /// `services` must outlive it.
    OpenArchive(const JobContext& context, const ArchivePlace& place, DecryptOptions decrypt,
                const Services& services);

    [[nodiscard]] const Manifest& manifest() const noexcept { return manifest_; }
    [[nodiscard]] Storage& storage() noexcept { return *storage_; }
    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
    /// "storage 'here', object 'production/…/manifest.json'"
    [[nodiscard]] std::string object(const std::string& name) const;

    /// For reading objects; throws DENIED when the archive is encrypted and no identity is known.
    [[nodiscard]] ArchiveAccess access();
    [[nodiscard]] DriverPtr compressor(); ///< none when the archive is not compressed
    /// All frames, or those that `setup.wanted` takes. Fills in workers and memory where 0.
    [[nodiscard]] std::unique_ptr<FrameReader> frames(Crew& crew, FrameReader::Setup setup,
                                                      uint64_t memory);
    /// The one section of an archive that has no other; reads the index.
    [[nodiscard]] std::unique_ptr<SectionReader> section(uint64_t memory);

private:
    [[nodiscard]] DriverPtr encryptor();

    const JobContext& context_;
    const Services& services_;
    const DecryptOptions decrypt_;
    const std::string folder_;
    std::unique_ptr<Storage> storage_;
    Manifest manifest_;
    DriverPtr compressor_, encryptor_;
};

} // namespace bkhost
