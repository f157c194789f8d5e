#include "core/job/open_archive.hpp"

#include "core/archive/naming.hpp"
#include "core/base/text.hpp"
#include "core/pipeline/memory_plan.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <thread>

namespace bkhost {
namespace {
constexpr uint64_t kInputs = uint64_t{4} << 20; // of the cipher, of the index, of the storage
} // namespace

OpenArchive::OpenArchive(const JobContext& context, const ArchivePlace& place,
                         DecryptOptions decrypt, const Services& services)
    : context_(context), services_(services), decrypt_(std::move(decrypt)), folder_(place.folder),
      storage_(std::make_unique<Storage>(place.storage.name,
                                         set_up(context.registry, kStorage, place.storage.spec,
                                                "storage '" + place.storage.name + "'"),
                                         services)) {
    const std::string key = folder_ + std::string(kManifestName);
    if (!storage_->stat(key))
        throw bk::Error(
            BK_E_NOT_FOUND, object(std::string(kManifestName)) + ": there is no such archive",
            "see 'bkhost list', or 'bkhost catalog rebuild' when the catalog is out of date");
    manifest_ =
        parse_manifest(storage_->read_all(key, kManifestLimit), object(std::string(kManifestName)));
    if (!folder_.ends_with("/" + manifest_.id + "/"))
        throw bk::Error(BK_E_CORRUPT,
                        object(std::string(kManifestName)) + ": belongs to another backup ('" +
                            manifest_.id + "')",
                        "objects were moved or overwritten: restore from another storage");
}

std::string OpenArchive::object(const std::string& name) const {
    return "storage '" + storage_->name() + "', object '" + folder_ + name + "'";
}

DriverPtr OpenArchive::compressor() {
    if (!compressor_ && manifest_.compressor)
        compressor_ = set_up(context_.registry, kCompressor, {manifest_.compressor->driver, {}},
                             "compressor of backup '" + manifest_.id + "'");
    return compressor_;
}

DriverPtr OpenArchive::encryptor() {
    if (encryptor_ || !manifest_.encryptor) return encryptor_;
    const std::string& driver = manifest_.encryptor->driver;
    const OptionText options = decrypt_ ? decrypt_(driver) : OptionText{};
    if (options.empty())
        throw bk::Error(BK_E_DENIED,
                        "backup '" + manifest_.id + "' is encrypted for " +
                            join(manifest_.encryptor->key_fingerprints) +
                            ", and no key is known here",
                        "give --identity FILE, or a 'decrypt' block in the configuration");
    encryptor_ = set_up(context_.registry, kEncryptor, {driver, options},
                        "decryption of backup '" + manifest_.id + "'");
    return encryptor_;
}

ArchiveAccess OpenArchive::access() {
    return {*storage_,
            folder_,
            encryptor(),
            manifest_.encryptor ? manifest_.encryptor->key_fingerprints
                                : std::vector<std::string>{},
            services_,
            context_.observer};
}

std::unique_ptr<FrameReader> OpenArchive::frames(Crew& crew, FrameReader::Setup setup,
                                                 uint64_t memory) {
    const uint64_t budget = memory > 0 ? memory : kDefaultBudget;
    const DriverPtr codec = compressor();
    unsigned workers =
        setup.workers > 0 ? setup.workers : std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
    const uint64_t context = codec ? codec_memory(*codec, BK_REVERSE, kFrameTarget * 3 / 2) : 0;
    while (workers > 1 && kInputs + (workers + 1) * context > budget / 2)
        --workers;
    const uint64_t used = kInputs + (workers + 1) * context;
    setup.workers = workers;
    setup.memory = budget > used ? budget - used : 0; // one frame always goes through
    return std::make_unique<FrameReader>(crew, access(), manifest_, codec, std::move(setup));
}

std::unique_ptr<SectionReader> OpenArchive::section(uint64_t memory) {
    const uint64_t budget = memory > 0 ? memory : kDefaultBudget;
    const DriverPtr codec = compressor();
    const uint64_t used =
        kInputs + (codec ? codec_memory(*codec, BK_REVERSE, kFrameTarget * 3 / 2) : 0);
    return std::make_unique<SectionReader>(access(), manifest_, codec,
                                           budget > used ? budget - used : 0);
}

} // namespace bkhost
