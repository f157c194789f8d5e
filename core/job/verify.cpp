#include "core/job/verify.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <map>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

/// The index against itself and the manifest, record by record.
class IndexAudit {
public:
    explicit IndexAudit(const Manifest& manifest) : manifest_(manifest) {}

    void take(const IndexRecord& record) {
        if (const auto* frame = std::get_if<IndexFrame>(&record)) take_frame(*frame);
        else if (const auto* total = std::get_if<IndexTotal>(&record)) take_total(*total);
        else if (const auto* volume = std::get_if<IndexVolume>(&record)) take_volume(*volume);
        else if (const auto* proof = std::get_if<IndexProof>(&record)) rows_ += proof->sum.rows;
        else if (const auto* end = std::get_if<IndexEnd>(&record)) take_end(*end);
    }

private:
    struct Sum {
        uint64_t bytes = 0;
        RowSum rows;
    };
    static void need(bool holds, const std::string& what) {
        if (!holds) throw bk::Error(BK_E_CORRUPT, "the index contradicts itself: " + what);
    }
    void take_frame(const IndexFrame& frame) {
        volume_plain_ += frame.plain_length;
        volume_packed_ += frame.packed_length;
        ++volume_frames_;
        for (const IndexSegment& segment : frame.segments) {
            Sum& sum = sections_[segment.section];
            need(segment.section_offset == sum.bytes,
                 "section " + std::to_string(segment.section) + " has a gap");
            sum.bytes += segment.length;
            sum.rows.add(segment.sum);
        }
    }
    void take_total(const IndexTotal& total) {
        const Sum& sum = sections_[total.section];
        need(sum.bytes == total.bytes && sum.rows.rows == total.sum.rows &&
                 digest_text(sum.rows) == digest_text(total.sum),
             "the sums of section " + std::to_string(total.section) + " differ");
        rows_ += total.sum.rows;
        ++totals_;
    }
    void take_volume(const IndexVolume& volume) {
        need(volume.component < manifest_.components.size() &&
                 volume.number < manifest_.components[volume.component].volumes.size(),
             "it has a volume that the manifest does not have");
        const ObjectRecord& object = manifest_.components[volume.component].volumes[volume.number];
        need(volume.frames == volume_frames_ && volume.plain == volume_plain_ &&
                 volume.packed == volume_packed_ && object.plain_size == volume_plain_ &&
                 object.packed_size == volume_packed_,
             "the sums of volume " + std::to_string(volume.number) + " differ");
        volume_plain_ = volume_packed_ = volume_frames_ = 0;
        ++volumes_;
    }
    void take_end(const IndexEnd& end) {
        uint64_t frames = 0, volumes = 0;
        for (const ComponentRecord& component : manifest_.components) {
            frames += component.frames;
            volumes += component.volumes.size();
        }
        need(totals_ == sections_.size(), "a section has no sums");
        need(volumes_ == volumes && end.frames == frames,
             "the manifest has another number of volumes or frames");
        need(!manifest_.rows || *manifest_.rows == rows_, "the manifest has another number of rows");
    }

    const Manifest& manifest_;
    std::map<uint32_t, Sum> sections_;
    uint64_t volume_plain_ = 0, volume_packed_ = 0, volume_frames_ = 0;
    uint64_t totals_ = 0, volumes_ = 0, rows_ = 0;
};

class Verification {
public:
    Verification(const JobContext& context, const ArchivePlace& place, VerifyLevel level,
                 const DecryptOptions& decrypt, uint64_t memory)
        : context_(context), place_(place), decrypt_(decrypt), memory_(memory),
          services_(context.log, context.stop) {
        result_.storage = place.storage.name;
        result_.level = level;
        result_.at_ms = context.clock.now();
    }

    VerifyResult run() {
        const int64_t begin = context_.clock.monotonic_ms();
        look([&] { open(); }, place_.folder + "manifest.json");
        if (archive_) {
            const bool all_there = check_sizes();
            if (all_there && result_.level >= VerifyLevel::stored) check_stored();
            if (all_there && result_.level >= VerifyLevel::full) check_key();
            if (all_there && result_.level >= VerifyLevel::full)
                look([&] { check_full(); }, place_.folder);
        }
        result_.duration_ms = context_.clock.monotonic_ms() - begin;
        return result_;
    }
    [[nodiscard]] OpenArchive* archive() noexcept { return archive_.get(); }

private:
    /// Damage is a result; a storage that does not answer makes the outcome inconclusive.
    template <class Body>
    void look(Body&& body, const std::string& object) {
        try {
            body();
        } catch (const bk::Error& error) {
            switch (error.status()) {
            case BK_E_NOT_FOUND:
                if (!archive_) throw;
                [[fallthrough]]; // removed since its size was asked for
            case BK_E_CORRUPT: note(VerifyOutcome::failed, object, error.what()); break;
            case BK_E_UNAVAILABLE:
            case BK_E_TIMEOUT: note(VerifyOutcome::inconclusive, object, error.what()); break;
            default: throw;
            }
        }
    }
    void note(VerifyOutcome outcome, const std::string& object, const std::string& text) {
        result_.problems.push_back({object, text});
        if (result_.outcome != VerifyOutcome::failed) result_.outcome = outcome;
    }

    void open() {
        archive_ = std::make_unique<OpenArchive>(context_, place_, decrypt_, services_);
        result_.id = archive_->manifest().id;
        result_.manifest_sha256 = archive_->manifest().sha256;
    }

    /// A key file that cannot be read is no damage of the archive.
    void check_key() {
        const ArchiveAccess access = archive_->access();
        if (access.encryptor) const Cipher probe(access.encryptor, services_, BK_REVERSE);
    }

    bool check_sizes() {
        const size_t before = result_.problems.size();
        for (const ObjectRecord& object : archive_->manifest().objects()) {
            const std::string key = place_.folder + object.key;
            look([&] {
                const std::optional<ObjectInfo> info = archive_->storage().stat(key);
                if (!info) throw bk::Error(BK_E_CORRUPT, archive_->object(object.key) + ": is missing");
                if (info->size != object.size)
                    throw bk::Error(BK_E_CORRUPT, archive_->object(object.key) + ": has " +
                                                      std::to_string(info->size) +
                                                      " bytes, the manifest says " +
                                                      std::to_string(object.size));
            }, key);
        }
        return result_.problems.size() == before;
    }

    void check_stored() {
        context_.observer.begin();
        context_.observer.stage("verifying " + result_.id, archive_->manifest().stored_size);
        std::vector<uint8_t> buffer(1024 * 1024);
        for (const ObjectRecord& object : archive_->manifest().objects())
            look([&] {
                Sha256 hash;
                const auto reader = archive_->storage().read(place_.folder + object.key);
                while (const size_t got = reader->read(buffer)) {
                    if (context_.stop.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
                    hash.update(std::span(buffer).first(got));
                    result_.bytes_read += got;
                    context_.observer.add_stored(got);
                    context_.observer.add_plain(got);
                }
                if (hash.finish() != object.sha256)
                    throw bk::Error(BK_E_CORRUPT, archive_->object(object.key) + ": its sha256 differs");
            }, place_.folder + object.key);
    }

    void check_full() {
        const Manifest& manifest = archive_->manifest();
        context_.observer.begin();
        context_.observer.stage("decoding " + result_.id, manifest.plain_size);
        IndexAudit audit(manifest);
        uint64_t plain = 0;
        std::unique_ptr<FrameReader> frames; // outlives the crew's threads
        Crew crew(context_.stop);
        frames = archive_->frames(
            crew, {.on_record = [&](const IndexRecord& record) { audit.take(record); }}, memory_);
        crew.run([&] {
            while (ReadFramePtr frame = frames->next()) {
                plain += frame->bytes().size();
                context_.observer.add_plain(frame->bytes().size());
                frames->recycle(std::move(frame));
            }
        });
        crew.join();
        if (plain != manifest.plain_size)
            throw bk::Error(BK_E_CORRUPT, archive_->object("") + ": decodes to " + std::to_string(plain) +
                                              " bytes, the manifest says " +
                                              std::to_string(manifest.plain_size));
    }

    const JobContext& context_;
    const ArchivePlace& place_;
    const DecryptOptions& decrypt_;
    const uint64_t memory_;
    Services services_;
    std::unique_ptr<OpenArchive> archive_;
    VerifyResult result_;
};

Json result_json(const VerifyResult& result, const JobContext& context) {
    Json problems = Json::array();
    for (const VerifyProblem& problem : result.problems)
        problems.push_back({{"object", problem.object}, {"text", problem.text}});
    return {{"format", "bkhost-verify"},
            {"version", 1},
            {"id", result.id},
            {"level", state_name(result.level)},
            {"outcome", state_name(result.outcome)},
            {"at", format_time(result.at_ms)},
            {"host", context.host_name},
            {"created_by", context.program},
            {"manifest_sha256", result.manifest_sha256},
            {"bytes_read", result.bytes_read},
            {"duration_ms", result.duration_ms},
            {"problems", std::move(problems)}};
}

void record(const JobContext& context, OpenArchive& archive, const VerifyResult& result) {
    const std::string text = result_json(result, context).dump(1) + '\n';
    const std::string key = archive.folder() + "verify/" + format_time_compact(result.at_ms) + "-" +
                            std::string(state_name(result.level)) + ".json";
    try { // a host that may only read can verify too
        archive.storage().put(key, as_bytes(text), false);
    } catch (const bk::Error& error) {
        context.log.warn(std::string("the result was not written beside the archive: ") + error.what());
    }
}

void record_row(const JobContext& context, const ArchivePlace& place, const VerifyResult& result,
                const std::string& id) {
    for (CopyRow& copy : context.catalog.copies(id)) {
        if (copy.storage != place.storage.name) continue;
        copy.verified_level = result.level;
        copy.verified_outcome = result.outcome;
        copy.verified_ms = result.at_ms;
        copy.error = result.problems.empty() ? "" : result.problems.front().text;
        context.catalog.put_copy(copy);
    }
}

} // namespace

VerifyResult verify_archive(const JobContext& context, const ArchivePlace& place, VerifyLevel level,
                            const DecryptOptions& decrypt, uint64_t memory) {
    Verification verification(context, place, level, decrypt, memory);
    VerifyResult result = verification.run();
    const std::string folder = place.folder.substr(0, place.folder.size() - 1);
    if (result.id.empty()) result.id = folder.substr(folder.rfind('/') + 1); // the manifest was not readable
    if (verification.archive() != nullptr) record(context, *verification.archive(), result);
    record_row(context, place, result, result.id);
    return result;
}

} // namespace bkhost
