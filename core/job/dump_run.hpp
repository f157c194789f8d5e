// The moving part of a backup: dumper to storages through the pipeline, up to the point where every
// byte is sent and nothing is visible yet.
#pragma once

#include "core/archive/manifest.hpp"
#include "core/archive/upload_fan.hpp"
#include "core/archive/volume_writer.hpp"
#include "core/driver/dumper.hpp"
#include "core/job/backup.hpp"
#include "core/pipeline/memory_plan.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace bkhost {

/// The drivers of one backup.
struct BackupDrivers {
    DriverPtr source, compressor, encryptor;
    std::vector<DriverPtr> storages;
};

/// Confined. Order of the calls: dump, commit, publish. Destroyed at any point it stops its threads
/// and aborts what is not committed.
class DumpRun {
public:
    DumpRun(const JobContext& context, const BackupRequest& request, const BackupDrivers& drivers,
            Services& services, Dumper& dumper, std::vector<Storage*> storages, std::string id,
            std::string folder);
    ~DumpRun();

    /// Reads the whole source and sends everything; ends with the dumper's own check that its dump
    /// is complete. Fills `manifest` as far as it is known.
    void dump(Manifest& manifest);
    /// The last volume and the index become durable and are read back.
    void commit(Manifest& manifest);
    /// Stores the manifest: from here on the archive exists.
    void publish(Manifest& manifest);
    [[nodiscard]] std::vector<UploadFan::Target> targets() const { return fan_->targets(); }

private:
    void plan_stages();
    void run_units(const std::vector<DumpUnit>& units);
    void run_phase(const std::vector<DumpUnit>& units, size_t begin, size_t end);
    void run_unit(const DumpUnit& unit);
    void describe(Manifest& manifest, const std::string& description);
    void start_writer();
    void wait_written();

    const JobContext& context_;
    const BackupRequest& request_;
    const BackupDrivers& drivers_;
    Services& services_;
    Dumper& dumper_;
    const std::vector<Storage*> storages_;
    const std::string id_, folder_;

    Crew crew_;
    std::stop_callback<std::function<void()>> wake_; ///< drivers that block, when any stage fails
    std::mutex mutex_;
    std::condition_variable_any written_changed_;
    bool written_ = false; ///< the volume writer has ended; guarded by mutex_
    std::optional<RateLimit> rate_;
    MemoryPlan plan_;
    std::string marker_; ///< nonce of the section comment lines; "": there are none
    SectionTable sections_;
    std::unique_ptr<UploadFan> fan_;
    std::unique_ptr<FrameFlow> frames_;
    std::unique_ptr<PackedFlow> packed_;
    std::unique_ptr<IndexWriter> index_;
    std::unique_ptr<VolumeWriter> volumes_;
};

} // namespace bkhost
