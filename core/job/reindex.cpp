#include "core/job/reindex.hpp"

#include "core/archive/index_builder.hpp"
#include "core/archive/index_writer.hpp"
#include "core/archive/naming.hpp"
#include "core/base/text.hpp"
#include "core/job/import.hpp"
#include "core/job/own_storage.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

constexpr size_t kPart = size_t{1} << 20; ///< of the new index's upload

class Reindexing {
public:
    Reindexing(const JobContext& context, const ArchivePlace& place, const DecryptOptions& decrypt,
               const EncryptFor& encrypt, std::stop_token stop)
        : context_(context), place_(place), encrypt_for_(encrypt), stop_(std::move(stop)),
          services_(context.log, stop_), archive_(context, place, decrypt, services_),
          manifest_(archive_.manifest()),
          wake_(stop_, std::function<void()>([this] { archive_.storage().interrupt(); })) {}

    ReindexResult run() {
        ReindexResult result;
        result.id = manifest_.id;
        result.storage = place_.storage.name;
        result.manifest_sha256 = manifest_.sha256;
        check_archive();
        result.whole = is_whole();
        if (result.whole) return result;
        find_recipients();
        try {
            build(result);
            check_new_index();
            check_unchanged();
        } catch (const std::exception&) {
            remove({place_.folder + manifest_.index.key});
            throw;
        }
        publish(); // whether it failed or not, the new index may be the archive's from here on
        result.index = manifest_.index.key;
        result.manifest_sha256 = manifest_.sha256;
        remove_old();
        update_rows();
        return result;
    }

private:
    void check_archive();
    void read_index();
    [[nodiscard]] bool is_whole();
    void find_recipients();
    void build(ReindexResult& result);
    void check_new_index();
    void check_unchanged();
    void publish();
    void remove(const std::vector<std::string>& keys);
    void remove_old();
    void update_rows();
    [[nodiscard]] std::string backup() const { return "backup '" + manifest_.id + "'"; }

    const JobContext& context_;
    const ArchivePlace& place_;
    const EncryptFor& encrypt_for_;
    const std::stop_token stop_;
    Services services_;
    OpenArchive archive_;
    Manifest manifest_; ///< the new one, in the making
    DriverPtr encryptor_;
    std::stop_callback<std::function<void()>> wake_;
};

void Reindexing::check_archive() {
    if (manifest_.components.size() != 1)
        throw bk::Error(BK_E_UNSUPPORTED, backup() + " has several components",
                        "use a newer bkhost");
    if ((archive_.storage().props().capabilities & BK_CAP_ATOMIC_REPLACE) == 0)
        throw bk::Error(BK_E_UNSUPPORTED,
                        "storage '" + place_.storage.name + "' cannot replace an object atomically",
                        "'bkhost restore --sequential' needs no index");
}

/// All of it, so that every rule is held.
void Reindexing::read_index() {
    IndexReader index(archive_.access(), manifest_, archive_.compressor());
    while (index.next()) {
    }
}

bool Reindexing::is_whole() {
    try {
        read_index();
        return true;
    } catch (const bk::Error& error) {
        if (error.status() != BK_E_CORRUPT && error.status() != BK_E_NOT_FOUND) throw;
        context_.log.debug(error.what());
        return false;
    }
}

void Reindexing::find_recipients() {
    if (!manifest_.encryptor) return;
    const CodecRecord& record = *manifest_.encryptor;
    const std::optional<DriverSpec> spec =
        encrypt_for_ ? encrypt_for_(manifest_) : std::optional<DriverSpec>();
    const std::string wanted =
        backup() + " is encrypted by " + record.driver + " for " + join(record.key_fingerprints);
    if (!spec)
        throw bk::Error(BK_E_CONFIG, wanted + ", and no recipient for its new index is known here",
                        "give --encrypt " + record.driver + ":RECIPIENT");
    if (spec->driver != record.driver)
        throw bk::Error(BK_E_CONFIG, wanted + ", not by " + spec->driver,
                        "give --encrypt " + record.driver + ":RECIPIENT");
    encryptor_ = set_up(context_.registry, kEncryptor, *spec, "encryption of the new index");
    for (const std::string& key : Cipher(encryptor_, services_, BK_FORWARD).fingerprints())
        if (std::ranges::find(record.key_fingerprints, key) == record.key_fingerprints.end())
            throw bk::Error(BK_E_CONFIG, wanted + ", not for " + key,
                            "give one of its own recipients with --encrypt");
}

void Reindexing::build(ReindexResult& result) {
    const ComponentRecord& component = manifest_.components.front();
    const auto suffix = [](const std::optional<CodecRecord>& codec) {
        return codec ? codec->suffix : std::string();
    };
    manifest_.index.key = index_name(suffix(manifest_.compressor), suffix(manifest_.encryptor),
                                     make_id(context_.clock));
    context_.observer.begin();
    context_.observer.stage("reading " + manifest_.id, manifest_.plain_size);
    Crew crew(stop_);
    UploadFan fan(crew, context_.log, {&archive_.storage()},
                  {.required = 1, .part_size = kPart, .parts = 2});
    crew.run([&] {
        IndexWriter index(std::make_unique<ObjectWriter>(fan, place_.folder, manifest_.index.key,
                                                         encryptor_, services_),
                          archive_.compressor(), services_, manifest_.id);
        IndexBuilder builder(component, [&](const IndexRecord& record) { index.add(record); });
        index.add(Warning{"reindexed", "",
                          "the index was made anew from the volumes at " +
                              format_time(context_.clock.now()) + "; " +
                              std::to_string(manifest_.warnings) +
                              " warnings, row proofs and digests, and what the dumper noted for "
                              "later are lost"});
        for (const ObjectRecord& volume : component.volumes) {
            FrameScanner frames(archive_.access(), volume, archive_.compressor(),
                                component.marker.empty() ? "" : marker_start(component.marker));
            while (const std::optional<FoundFrame> frame = frames.next()) {
                if (stop_.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
                builder.frame(*frame);
                context_.observer.add_plain(frame->plain.size());
            }
            builder.end_volume();
        }
        builder.finish();
        manifest_.stored_size -= manifest_.index.size;
        manifest_.index = index.finish();
        index.commit();
        result.frames = builder.frames();
        result.sections = builder.sections();
    });
    fan.close();
    crew.join();
    manifest_.components.front().frames = result.frames;
    manifest_.stored_size += manifest_.index.size;
    manifest_.warnings = 1;
    manifest_.row_digest = false;
}

/// Read as every reader will: with the key, and held to the rules and to the new manifest.
void Reindexing::check_new_index() {
    try {
        read_index();
    } catch (const bk::Error& error) {
        if (error.status() != BK_E_CORRUPT) throw;
        throw bk::Error(BK_E_CORRUPT, backup() + " cannot be indexed: " + error.what(),
                        "restore an older backup, or the copy on another storage");
    }
}

/// The archive may have been removed, or indexed by another host, while its volumes were read.
void Reindexing::check_unchanged() {
    const std::string name(kManifestName);
    const std::string key = place_.folder + name;
    if (stop_.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
    if (!archive_.storage().stat(key) ||
        parse_manifest(archive_.storage().read_all(key, kManifestLimit), archive_.object(name))
                .sha256 != archive_.manifest().sha256)
        throw bk::Error(BK_E_BUSY, archive_.object(name) + ": was changed meanwhile",
                        "look at it with 'bkhost verify', and try again");
}

void Reindexing::publish() {
    const std::string text = manifest_text(manifest_);
    (void)archive_.storage().put(place_.folder + std::string(kManifestName), as_bytes(text), false);
}

/// What could not be removed costs room and nothing else; the next rebuild tries again.
void Reindexing::remove(const std::vector<std::string>& keys) {
    try {
        OwnStorage own(context_.log, place_.storage.name, archive_.storage().driver(), {});
        own.storage.remove(keys); // the archive's own instance may have been interrupted
    } catch (const std::exception& error) {
        context_.log.warn(std::string("an index was left behind: ") + error.what());
    }
}

/// The one that was replaced, and those of rebuilds that died.
void Reindexing::remove_old() {
    std::vector<std::string> keys;
    try {
        archive_.storage().list(place_.folder + "index.", false,
                                [&](const std::string& key, const ObjectInfo&) {
                                    if (key != place_.folder + manifest_.index.key)
                                        keys.push_back(key);
                                });
    } catch (const bk::Error& error) {
        context_.log.warn(std::string("the old index was left behind: ") + error.what());
    }
    if (!keys.empty()) remove(keys);
}

void Reindexing::update_rows() {
    const std::optional<BackupRow> row = context_.catalog.backup(manifest_.id);
    if (!row) return;
    const FoundArchive found = describe_archive(manifest_, place_);
    for (CopyRow copy : context_.catalog.copies(manifest_.id)) {
        if (copy.storage != place_.storage.name) continue;
        copy.size = found.copy.size;
        copy.manifest_sha256 = found.copy.manifest_sha256;
        copy.verified_level = VerifyLevel::none; // what was verified is not there any more
        copy.verified_outcome = VerifyOutcome::none;
        copy.verified_ms = 0;
        copy.error.clear();
        context_.catalog.put_copy(copy);
    }
    if (row->manifest_sha256 == archive_.manifest().sha256)
        context_.catalog.update_backup(manifest_.id,
                                       {.stored_size = found.change.stored_size,
                                        .manifest_sha256 = found.change.manifest_sha256});
}

} // namespace

ReindexResult reindex_archive(const JobContext& context, const ArchivePlace& place,
                              const DecryptOptions& decrypt, const EncryptFor& encrypt) {
    const std::optional<Lease> lease = context.catalog.try_acquire("reindex:" + place.folder);
    if (!lease)
        throw bk::Error(BK_E_BUSY, "another process makes the index of '" + place.folder + "' anew",
                        "wait until it has ended");
    std::stop_source stop;
    const std::stop_callback outer(context.stop, [&] { stop.request_stop(); });
    const LeaseKeeper keeper(context.catalog, *lease, [&] { stop.request_stop(); });
    return Reindexing(context, place, decrypt, encrypt, stop.get_token()).run();
}

} // namespace bkhost
