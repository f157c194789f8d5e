// Writes one component: frames in their order into volumes, and their records into the index.
#pragma once

#include "core/archive/index_writer.hpp"
#include "core/archive/manifest.hpp"
#include "core/pipeline/frame_flow.hpp"
#include "core/pipeline/run_observer.hpp"
#include "core/pipeline/sections.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bkhost {

/// run() belongs to one thread; the rest to whoever owns it, afterwards.
class VolumeWriter {
public:
    struct Setup {
        uint32_t component = 0;
        std::string folder; ///< key prefix of the archive, ends in "/"
        std::string name, extension, codec_suffix, cipher_suffix;
        uint64_t volume_size = 0; ///< stored bytes after which a volume is closed
    };
    VolumeWriter(Setup setup, UploadFan& fan, IndexWriter& index, const SectionTable& sections,
                 const DriverPtr& encryptor, const Services& services, RunObserver& observer);
    ~VolumeWriter();

    /// Until the flow ends. Every volume but the last one is committed (invisible as long as there
    /// is no manifest); the last one waits for commit(). Throws when the dump was empty.
    void run(PackedFlow& flow);
    /// Makes the last volume visible too.
    void commit();

    [[nodiscard]] const std::vector<ObjectRecord>& volumes() const noexcept { return volumes_; }
    [[nodiscard]] const std::vector<std::string>& fingerprints() const noexcept {
        return fingerprints_;
    }
    [[nodiscard]] uint64_t frames() const noexcept { return frames_; }
    [[nodiscard]] uint64_t plain_size() const noexcept { return plain_size_; }
    [[nodiscard]] RowSum rows() const noexcept;
    /// One line a section, and the end record; after run().
    void write_totals();

private:
    struct Total {
        uint64_t bytes = 0;
        RowSum sum;
        bool announced = false;
    };
    void open_volume();
    void close_volume();
    void write_frame(const PackedFrame& packed);
    [[nodiscard]] IndexSegment place(const Segment& segment);

    const Setup setup_;
    UploadFan& fan_;
    IndexWriter& index_;
    const SectionTable& sections_;
    const DriverPtr encryptor_;
    const Services& services_;
    RunObserver& observer_;

    std::unique_ptr<ObjectWriter> object_; ///< the open volume, or the last one, finished
    bool finished_ = false;
    uint64_t volume_plain_ = 0, volume_frames_ = 0;
    uint64_t frames_ = 0, plain_size_ = 0;
    std::vector<ObjectRecord> volumes_;
    std::vector<std::string> fingerprints_;
    std::vector<Total> totals_; ///< by section
};

} // namespace bkhost
