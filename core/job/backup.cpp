#include "core/job/backup.hpp"

#include "core/archive/naming.hpp"
#include "core/base/text.hpp"
#include "core/job/archive_cleaner.hpp"
#include "core/job/attempts.hpp"
#include "core/job/dump_run.hpp"
#include "core/job/own_storage.hpp"
#include "core/job/preflight.hpp"
#include "core/job/run_end.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

/// One attempt under way: its row, its lease and what it may have left behind.
class BackupRun {
public:
    /// The context's token is that of the limit.
    BackupRun(const JobContext& context, const BackupRequest& request, const TimeLimit& limit)
        : context_(context), request_(request), limit_(limit), id_(make_id(context.clock)),
          folder_(archive_prefix(request.environment, request.tenant, request.source_name, id_)),
          link_(context.stop, std::function<void()>([this] { stop_.request_stop(); })) {
        if (request.storages.empty())
            throw bk::Error(BK_E_CONFIG, "no storage to back up to",
                            "name one with --to or 'store'");
        drivers_.source = set_up(context.registry, kDumper, request.source,
                                 "source '" + request.source_name + "'");
        if (request.compress)
            drivers_.compressor =
                set_up(context.registry, kCompressor, *request.compress, "compress");
        if (request.encrypt)
            drivers_.encryptor = set_up(context.registry, kEncryptor, *request.encrypt, "encrypt");
        for (const NamedDriver& storage : request.storages)
            drivers_.storages.push_back(
                set_up(context.registry, kStorage, storage.spec, "storage '" + storage.name + "'"));
    }

    BackupOutcome run();

private:
    [[nodiscard]] BackupRow first_row() const;
    [[nodiscard]] std::vector<CopyRow> first_copies() const;
    void work(LeaseKeeper& keeper, BackupState& state);
    [[nodiscard]] std::vector<Storage*> probe(Dumper& dumper,
                                              const std::vector<Storage*>& storages);
    template <class Call>
    [[nodiscard]] std::vector<Storage*> each_usable(const std::vector<Storage*>& storages,
                                                    Call&& call);
    void complete(LeaseKeeper& keeper, const DumpRun& dump);
    void fail(LeaseKeeper& keeper, BackupState state, const std::exception& error);
    void end_row(LeaseKeeper& keeper, BackupState state, const RunEnd& end);
    [[nodiscard]] std::string clean_up(size_t storage);
    [[nodiscard]] BackupChange described() const;

    const JobContext& context_;
    const BackupRequest& request_;
    const TimeLimit& limit_;
    const std::string id_, folder_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> link_;
    BackupDrivers drivers_;
    Manifest manifest_;
    std::vector<Warning> warnings_;
    std::vector<CopyRow> copies_;
    bool published_ = false;
    bool touched_ = false; ///< something may lie on the storages
};

BackupRow BackupRun::first_row() const {
    BackupRow row;
    row.id = id_;
    row.job = request_.job;
    row.source = request_.source_name;
    row.tenant = request_.tenant;
    row.environment = request_.environment;
    row.archive_key = folder_;
    row.started_ms = context_.clock.now();
    if (drivers_.compressor) // with the level that counts, written or not
        row.compression = codec_text(drivers_.compressor->description.name,
                                     drivers_.compressor->values.public_text());
    row.encryption = request_.encrypt ? request_.encrypt->driver : "";
    row.host_name = context_.host_name;
    row.initiated_by = context_.initiated_by;
    row.notes = request_.notes;
    row.bkhost_version = context_.program;
    return row;
}

std::vector<CopyRow> BackupRun::first_copies() const {
    std::vector<CopyRow> copies;
    for (size_t i = 0; i < request_.storages.size(); ++i) {
        CopyRow copy;
        copy.backup_id = id_;
        copy.storage = request_.storages[i].name;
        copy.location = {request_.storages[i].spec.driver,
                         drivers_.storages[i]->values.public_text()};
        copies.push_back(std::move(copy));
    }
    return copies;
}

BackupOutcome BackupRun::run() {
    copies_ = first_copies();
    LeaseKeeper keeper(context_.catalog, context_.catalog.begin_backup(first_row(), copies_),
                       [this] { stop_.request_stop(); });
    BackupState state = BackupState::pending;
    try {
        work(keeper, state);
    } catch (const std::exception& error) {
        const std::optional<bk::Error> late = limit_.expired(error, "backup '" + id_ + "'");
        fail(keeper, state, late ? *late : error);
        if (late) throw *late;
        throw;
    }
    BackupOutcome outcome;
    outcome.row = *context_.catalog.backup(id_);
    outcome.copies = context_.catalog.copies(id_);
    for (const CopyRow& copy : outcome.copies)
        outcome.partial = outcome.partial || copy.state != CopyState::stored;
    return outcome;
}

void BackupRun::work(LeaseKeeper& keeper, BackupState& state) {
    Services services(context_.log, stop_.get_token());
    Dumper dumper("source '" + request_.source_name + "'", drivers_.source, services);
    std::vector<std::unique_ptr<Storage>> storages;
    for (size_t i = 0; i < request_.storages.size(); ++i)
        storages.push_back(
            std::make_unique<Storage>(request_.storages[i].name, drivers_.storages[i], services));
    std::vector<Storage*> targets;
    for (const auto& storage : storages)
        targets.push_back(storage.get());
    const std::vector<Storage*> answering = probe(dumper, targets);

    const auto step = [&](BackupState next, const BackupChange& change = {}) {
        context_.catalog.transition(id_, state, next, change, &keeper.lease());
        state = next;
    };
    step(BackupState::running);
    touched_ = true;
    // In the archive's own folder, so that whoever cleans up after this run finds what it left.
    (void)each_usable(answering, [&](Storage& storage) {
        if (may_be_tried(storage)) try_write(storage, folder_ + ".preflight");
    });
    manifest_.id = id_;
    manifest_.environment = request_.environment;
    manifest_.tenant = request_.tenant;
    manifest_.source = request_.source_name;
    manifest_.job = request_.job;
    manifest_.host = context_.host_name;
    manifest_.created_by = context_.program;

    DumpRun dump(context_, request_, drivers_, services, dumper, targets, id_, folder_);
    dump.dump(manifest_);
    step(BackupState::verifying);
    context_.observer.stage(request_.source_name + ": storing", 0);
    dump.commit(manifest_);
    warnings_ = services.warnings();
    if (!context_.catalog.held(keeper.lease()))
        throw bk::Error(BK_E_BUSY,
                        "backup '" + id_ + "' lost its lease: another process took it for dead",
                        "see that the clock and the catalog's disk do not stall, and run it again");
    dump.publish(manifest_);
    published_ = true; // from here on the archive exists, whatever becomes of its row
    complete(keeper, dump);
}

/// The storages with which `call` goes well; throws the failure that leaves fewer than are
/// required.
template <class Call>
std::vector<Storage*> BackupRun::each_usable(const std::vector<Storage*>& storages, Call&& call) {
    std::vector<Storage*> usable;
    for (size_t i = 0; i < storages.size(); ++i) {
        try {
            call(*storages[i]);
            usable.push_back(storages[i]);
        } catch (const bk::Error& error) {
            const size_t left = usable.size() + (storages.size() - i - 1);
            if (error.cancelled() || left < request_.copies_required) throw;
            context_.log.warn(std::string(error.what()));
        }
    }
    return usable;
}

/// Gives the storages that answered. One that does not, and is not required, may be back in time.
std::vector<Storage*> BackupRun::probe(Dumper& dumper, const std::vector<Storage*>& storages) {
    context_.observer.begin();
    context_.observer.stage(request_.source_name + ": preflight", 0);
    const std::string probed = dumper.probe();
    const auto json = nlohmann::json::parse(probed, nullptr, false);
    const std::string source_path = json.is_object() ? json.value("source_path", "") : "";
    return each_usable(storages, [&](Storage& storage) { storage.probe(source_path); });
}

BackupChange BackupRun::described() const {
    BackupChange change;
    change.engine = manifest_.engine.name;
    change.engine_version = manifest_.engine.version;
    if (!manifest_.components.empty()) change.format = manifest_.components.front().format;
    change.plain_size = static_cast<int64_t>(manifest_.plain_size);
    change.stored_size = static_cast<int64_t>(manifest_.stored_size);
    change.rows = static_cast<int64_t>(manifest_.rows.value_or(0));
    if (manifest_.encryptor) change.key_ids = manifest_.encryptor->key_fingerprints;
    change.manifest_sha256 = manifest_.sha256;
    std::vector<std::string> texts;
    for (const Warning& warning : warnings_)
        texts.push_back(warning.object + ": " + warning.text);
    change.warnings = texts;
    return change;
}

void BackupRun::complete(LeaseKeeper& keeper, const DumpRun& dump) {
    const std::vector<UploadFan::Target> targets = dump.targets();
    for (size_t i = 0; i < copies_.size(); ++i) {
        copies_[i].state = targets[i].dropped ? CopyState::failed : CopyState::stored;
        copies_[i].error = targets[i].error;
        if (targets[i].dropped) {
            const std::string left = clean_up(i);
            if (!left.empty()) {
                copies_[i].state = CopyState::uploading; // see reap.hpp
                copies_[i].error += "; " + left;
            }
            continue;
        }
        copies_[i].size = static_cast<int64_t>(manifest_.stored_size);
        copies_[i].manifest_sha256 = manifest_.sha256;
        copies_[i].verified_level = VerifyLevel::quick; // sizes and ends were read back
        copies_[i].verified_outcome = VerifyOutcome::ok;
        copies_[i].verified_ms = manifest_.finished_ms;
    }
    context_.catalog.finish_backup(id_, BackupState::verifying, BackupState::completed, described(),
                                   copies_, keeper.lease());
}

void BackupRun::fail(LeaseKeeper& keeper, BackupState state, const std::exception& error) {
    if (published_) return; // the archive is whole; whoever starts next adopts it
    try {
        end_row(keeper, state, run_end(error));
    } catch (const bk::Error& second) { // the first error is the one to report
        context_.log.warn("the row of backup '" + id_ + "' was not written: " + second.what());
    }
}

void BackupRun::end_row(LeaseKeeper& keeper, BackupState state, const RunEnd& end) {
    const std::optional<BackupRow> row = context_.catalog.backup(id_);
    if (row && row->state == BackupState::completed) return; // taken for dead, and adopted
    BackupChange change;
    change.error = end.error;
    change.hint = end.hint;
    for (size_t i = 0; i < copies_.size(); ++i) {
        copies_[i].state = CopyState::failed;
        if (touched_) copies_[i].error = clean_up(i);
        if (!copies_[i].error.empty()) copies_[i].state = CopyState::uploading; // see reap.hpp
    }
    context_.catalog.finish_backup(id_, state,
                                   end.cancelled ? BackupState::cancelled : BackupState::failed,
                                   change, copies_, keeper.lease());
}

/// With an instance of its own: the run's may have been interrupted. A request to stop that came
/// before is what the clean-up is for; one that comes now ends it. Gives what went wrong.
std::string BackupRun::clean_up(size_t storage) {
    const std::stop_token stop = context_.stop.stop_requested() ? std::stop_token() : context_.stop;
    try {
        OwnStorage cleaned(context_.log, copies_[storage].storage, drivers_.storages[storage],
                           stop);
        remove_archive(cleaned.storage, folder_);
        return {};
    } catch (const std::exception& error) {
        std::string left = std::string("leftovers were not removed: ") + error.what();
        context_.log.warn(left);
        return left;
    }
}

} // namespace

BackupOutcome run_backup(const JobContext& context, const BackupRequest& request) {
    const TimeLimit limit(context.clock, request.timeout_ms, context.stop);
    JobContext limited = context;
    limited.stop = limit.token();
    std::optional<BackupOutcome> outcome;
    with_retries(request.retries, "the backup of '" + request.source_name + "'", limit,
                 context.clock, context.log,
                 [&] { outcome = BackupRun(limited, request, limit).run(); });
    return std::move(*outcome);
}

} // namespace bkhost
