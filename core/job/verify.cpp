#include "core/job/verify.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::ordered_json;

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
            look(
                [&] {
                    const std::optional<ObjectInfo> info = archive_->storage().stat(key);
                    if (!info)
                        throw bk::Error(BK_E_CORRUPT,
                                        archive_->object(object.key) + ": is missing");
                    if (info->size != object.size)
                        throw bk::Error(BK_E_CORRUPT, archive_->object(object.key) + ": has " +
                                                          std::to_string(info->size) +
                                                          " bytes, the manifest says " +
                                                          std::to_string(object.size));
                },
                key);
        }
        return result_.problems.size() == before;
    }

    void check_stored() {
        context_.observer.begin();
        context_.observer.stage("verifying " + result_.id, archive_->manifest().stored_size);
        std::vector<uint8_t> buffer(1024 * 1024);
        for (const ObjectRecord& object : archive_->manifest().objects())
            look(
                [&] {
                    Sha256 hash;
                    const auto reader = archive_->storage().read(place_.folder + object.key);
                    while (const size_t got = reader->read(buffer)) {
                        if (context_.stop.stop_requested())
                            throw bk::Error(BK_E_CANCELLED, "cancelled");
                        hash.update(std::span(buffer).first(got));
                        result_.bytes_read += got;
                        context_.observer.add_stored(got);
                        context_.observer.add_plain(got);
                    }
                    if (hash.finish() != object.sha256)
                        throw bk::Error(BK_E_CORRUPT,
                                        archive_->object(object.key) + ": its sha256 differs");
                },
                place_.folder + object.key);
    }

    void check_full() {
        const Manifest& manifest = archive_->manifest();
        context_.observer.begin();
        context_.observer.stage("decoding " + result_.id, manifest.plain_size);
        uint64_t plain = 0;
        std::unique_ptr<FrameReader> frames; // outlives the crew's threads
        Crew crew(context_.stop);
        frames =
            archive_->frames(crew, {}, memory_); // its index reader holds the index to its rules
        crew.run([&] {
            while (ReadFramePtr frame = frames->next()) {
                plain += frame->bytes().size();
                context_.observer.add_plain(frame->bytes().size());
                frames->recycle(std::move(frame));
            }
        });
        crew.join();
        if (plain != manifest.plain_size)
            throw bk::Error(BK_E_CORRUPT, archive_->object("") + ": decodes to " +
                                              std::to_string(plain) + " bytes, the manifest says " +
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
        if (error.cancelled()) throw;
        context.log.warn(std::string("the result was not written beside the archive: ") +
                         error.what());
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
    if (result.id.empty())
        result.id = folder.substr(folder.rfind('/') + 1); // the manifest was not readable
    if (verification.archive() != nullptr) record(context, *verification.archive(), result);
    record_row(context, place, result, result.id);
    return result;
}

} // namespace bkhost
