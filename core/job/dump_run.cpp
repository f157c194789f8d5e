#include "core/job/dump_run.hpp"

#include "core/archive/naming.hpp"
#include "core/base/text.hpp"
#include "core/pipeline/compress_pool.hpp"
#include "core/pipeline/framer.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace bkhost {
namespace {

using Json = nlohmann::json;

unsigned default_workers(unsigned wanted) {
    return wanted > 0 ? wanted : std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
}

/// Equal parts with which 9,000 of them hold a volume, so that every provider takes them.
uint64_t part_size_for(const std::vector<Storage*>& storages, uint64_t volume_size,
                       uint64_t wanted) {
    uint64_t size = wanted;
    for (Storage* storage : storages) {
        const bk_storage_props props = storage->props();
        if (props.max_parts > 0) {
            const uint64_t mib = uint64_t{1} << 20;
            size = std::max(size, (volume_size / 9000 + mib - 1) / mib * mib);
        }
        size = std::max(size, props.min_part_size);
    }
    return size;
}

MemoryRequest memory_request(const BackupRequest& request, const BackupDrivers& drivers,
                             const std::vector<Storage*>& storages, unsigned units) {
    MemoryRequest memory;
    memory.budget = request.memory > 0 ? request.memory : kDefaultBudget;
    memory.workers = default_workers(request.workers);
    memory.units = units;
    const uint64_t smallest = uint64_t{256} << 10, largest = uint64_t{4} << 20;
    // A part goes out at once, so under a limit it should be no more than a second's worth.
    const uint64_t wanted =
        request.max_rate > 0 ? std::clamp(request.max_rate, smallest, largest) : largest;
    memory.part_size = part_size_for(storages, request.volume_size, wanted);
    memory.smallest_part = part_size_for(storages, request.volume_size, smallest);
    if (drivers.compressor)
        memory.codec_memory = [&](uint64_t frame) {
            return codec_memory(*drivers.compressor, BK_FORWARD, frame);
        };
    if (drivers.encryptor) memory.cipher_memory = codec_memory(*drivers.encryptor, BK_FORWARD, 0);
    return memory;
}

std::string dump_request(const BackupRequest& request, unsigned jobs) {
    Json json{{"what", "all"}, {"jobs", jobs}};
    if (!request.include_tables.empty()) json["include"] = request.include_tables;
    if (!request.exclude_tables.empty()) json["exclude"] = request.exclude_tables;
    return json.dump();
}

std::string suffix_of(const DriverPtr& driver) { return driver ? codec_file(*driver).suffix : ""; }

} // namespace

DumpRun::DumpRun(const JobContext& context, const BackupRequest& request,
                 const BackupDrivers& drivers, Services& services, Dumper& dumper,
                 std::vector<Storage*> storages, std::string id, std::string folder)
    : context_(context), request_(request), drivers_(drivers), services_(services), dumper_(dumper),
      storages_(std::move(storages)), id_(std::move(id)), folder_(std::move(folder)),
      crew_(services.stop()), wake_(crew_.token(), [this] {
          dumper_.interrupt();
          for (Storage* storage : storages_)
              storage->interrupt();
      }) {}

DumpRun::~DumpRun() {
    if (fan_) fan_->close();
    crew_.stop();
    (void)crew_.wait();
}

void DumpRun::describe(Manifest& manifest, const std::string& description) {
    try {
        const Json json = Json::parse(description);
        ComponentRecord component;
        component.name = request_.source_name;
        component.extension = json.at("extension").get<std::string>();
        component.format = json.at("format").get<std::string>();
        component.layout = json.value("layout", Json::object()).dump();
        manifest.engine = {json.at("engine").get<std::string>(), json.value("version", ""),
                           drivers_.source->description.name,
                           drivers_.source->description.module_id,
                           drivers_.source->description.module_version};
        manifest.components = {std::move(component)};
    } catch (const Json::exception& e) {
        throw bk::Error(BK_E_INTERNAL,
                        std::string("the dumper's description cannot be read: ") + e.what());
    }
    if (manifest.components.front().format == "sql") marker_ = make_marker_nonce(context_.clock);
    manifest.components.front().marker = marker_;
}

void DumpRun::plan_stages() {
    for (const std::string& note : plan_.notes)
        context_.log.debug(note);
    context_.log.debug("memory plan: " + format_bytes(plan_.total) + " for " +
                       std::to_string(plan_.frames) + " frames of " +
                       format_bytes(plan_.frame_capacity) + ", " + std::to_string(plan_.workers) +
                       " compressors, " + std::to_string(plan_.units) + " units at once, " +
                       std::to_string(plan_.parts) + " parts of " + format_bytes(plan_.part_size));
    if (request_.max_rate > 0) rate_.emplace(request_.max_rate, context_.clock);
    fan_ = std::make_unique<UploadFan>(crew_, context_.log, storages_,
                                       UploadFan::Setup{request_.copies_required, plan_.part_size,
                                                        plan_.parts, rate_ ? &*rate_ : nullptr});
    frames_ = std::make_unique<FrameFlow>(plan_.frames, plan_.frame_capacity, crew_.token());
    packed_ = std::make_unique<PackedFlow>(plan_.outputs, crew_.token());
}

void DumpRun::dump(Manifest& manifest) {
    const unsigned jobs = default_workers(request_.workers);
    manifest.started_ms = context_.clock.now();
    describe(manifest, dumper_.dump_begin(dump_request(request_, jobs)));
    try {
        const std::vector<DumpUnit> units = dumper_.plan();
        const auto at_once =
            static_cast<unsigned>(std::min<size_t>(units.size(), std::max(jobs, 2u)));
        plan_ = plan_memory(memory_request(request_, drivers_, storages_, at_once));
        plan_stages();
        const ComponentRecord& component = manifest.components.front();
        index_ = std::make_unique<IndexWriter>(
            std::make_unique<ObjectWriter>(
                *fan_, folder_,
                index_name(suffix_of(drivers_.compressor), suffix_of(drivers_.encryptor)),
                drivers_.encryptor, services_),
            drivers_.compressor, services_, id_);
        volumes_ = std::make_unique<VolumeWriter>(
            VolumeWriter::Setup{0, folder_, component.name, component.extension,
                                suffix_of(drivers_.compressor), suffix_of(drivers_.encryptor),
                                request_.volume_size},
            *fan_, *index_, sections_, drivers_.encryptor, services_, context_.observer);
        start_compressors(crew_, plan_.workers, drivers_.compressor, services_, *frames_, *packed_);
        start_writer();
        run_units(units);
    } catch (const std::exception&) {
        crew_.fail(std::current_exception());
        crew_.run([this] { dumper_.dump_end(false); });
        crew_.check();
    }
    crew_.run(
        [this] { dumper_.dump_end(true); }); // the dump's own proof, before anything is committed
    crew_.check();
    frames_->close();
    wait_written();
}

void DumpRun::start_writer() {
    crew_.start([this] {
        volumes_->run(*packed_);
        const std::lock_guard lock(mutex_);
        written_ = true;
        written_changed_.notify_all();
    });
}

void DumpRun::wait_written() {
    std::unique_lock lock(mutex_);
    if (!written_changed_.wait(lock, crew_.token(), [this] { return written_; })) {
        lock.unlock();
        (void)crew_.wait();
        crew_.check();
    }
}

void DumpRun::run_units(const std::vector<DumpUnit>& units) {
    uint64_t total = 0;
    for (const DumpUnit& unit : units)
        total += unit.size_hint;
    context_.observer.stage(request_.source_name + ": dumping", total);
    std::vector<DumpUnit> ordered = units;
    std::ranges::stable_sort(ordered, {}, &DumpUnit::phase);
    for (size_t begin = 0; begin < ordered.size();) {
        size_t end = begin;
        while (end < ordered.size() && ordered[end].phase == ordered[begin].phase)
            ++end;
        run_phase(ordered, begin, end);
        begin = end;
    }
}

void DumpRun::run_phase(const std::vector<DumpUnit>& units, size_t begin, size_t end) {
    std::atomic<size_t> next{begin};
    const auto work = [&] {
        for (size_t i = next++; i < end && !crew_.token().stop_requested(); i = next++)
            run_unit(units[i]);
    };
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < std::min<size_t>(plan_.units, end - begin); ++i)
        threads.emplace_back([&] { crew_.run(work); });
    crew_.run(work);
    threads.clear(); // joins
    crew_.check();
}

void DumpRun::run_unit(const DumpUnit& unit) {
    UnitFramer framer(
        {unit.number, 0, unit.ordered, marker_, plan_.frame_size, plan_.fragment_target}, *frames_,
        sections_, *index_);
    context_.log.debug("unit '" + unit.label + "' begins");
    dumper_.dump(unit.number, framer.sink());
    framer.finish();
    context_.log.debug("unit '" + unit.label + "' has " + format_bytes(framer.bytes()));
}

void DumpRun::commit(Manifest& manifest) {
    const std::vector<Warning> warnings = services_.warnings();
    ObjectRecord index;
    try { // a storage that fails meanwhile is the cause, not the CANCELLED that it makes of a wait
        for (const Warning& warning : warnings)
            index_->add(warning);
        volumes_->write_totals();
        index = index_->finish();
        volumes_->commit();
        index_->commit();
    } catch (const std::exception&) {
        crew_.fail(std::current_exception());
        crew_.check();
    }

    ComponentRecord& component = manifest.components.front();
    RowSum rows = volumes_->rows();
    if (index_->has_proof()) rows.add(index_->proven());
    component.volumes = volumes_->volumes();
    component.frames = volumes_->frames();
    component.plain_size = volumes_->plain_size();
    if (rows.rows > 0 || index_->has_proof()) component.rows = rows.rows;
    manifest.row_digest = component.rows.has_value() && rows.digest_known;
    manifest.index = index;
    manifest.plain_size = component.plain_size;
    manifest.rows = component.rows;
    manifest.warnings = warnings.size();
    for (const ObjectRecord& object : manifest.objects())
        manifest.stored_size += object.size;
    if (drivers_.compressor) {
        const CodecFile file = codec_file(*drivers_.compressor);
        manifest.compressor = {drivers_.compressor->description.name,
                               file.suffix,
                               file.decode_command,
                               drivers_.compressor->values.public_text(),
                               {}};
    }
    if (drivers_.encryptor) {
        const CodecFile file = codec_file(*drivers_.encryptor);
        manifest.encryptor = {drivers_.encryptor->description.name,
                              file.suffix,
                              file.decode_command,
                              {},
                              volumes_->fingerprints()};
    }
}

void DumpRun::publish(Manifest& manifest) {
    crew_.check(); // cancelled while the last calls went through: from here on it is too late
    manifest.finished_ms = context_.clock.now();
    const std::string text = manifest_text(manifest);
    fan_->put(folder_ + std::string(kManifestName), as_bytes(text));
}

} // namespace bkhost
