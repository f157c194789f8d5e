// Writes whole archives through the real stages (framer, compressors, volume and index writer,
// upload fan) into memory storages, and reads them back, without a job around it. For tests only.
#pragma once

#include "core/archive/frame_reader.hpp"
#include "core/archive/naming.hpp"
#include "core/archive/volume_writer.hpp"
#include "core/pipeline/compress_pool.hpp"
#include "core/testing/fake_drivers.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace bkhost::test {

inline const std::string kFolder = "prod/_global/shop/20260211T031500Z-k3f9qd/";
inline const std::string kArchiveId = "20260211T031500Z-k3f9qd";
inline const std::string kMarker = "00112233445566778899aabbccddeeff"; ///< of archives of SQL

/// Small frames and parts, so that little data makes many of them.
inline MemoryPlan small_plan() {
    MemoryPlan plan;
    plan.frame_size = 4096;
    plan.frame_capacity = 6144;
    plan.fragment_target = 1024;
    plan.workers = 2;
    plan.units = 2;
    plan.frames = plan.units + plan.workers + 1;
    plan.outputs = plan.workers + 1;
    plan.part_size = 5000;
    plan.parts = 4;
    return plan;
}

/// Names a section and writes one fragment into it.
inline void write_fragment(bk::Sink& sink, const std::string& section, std::string_view bytes,
                           uint64_t rows = 1) {
    sink.section({.kind = "table", .namespace_name = "main", .name = section});
    sink.write(bytes);
    sink.cut(rows, {rows * 3, rows * 5});
}

struct UnitBody {
    std::function<void(bk::Sink)> write;
    bool ordered = false;
};

struct WriteSpec {
    std::vector<Storage*> storages;
    DriverPtr compressor, encryptor;
    std::vector<UnitBody> units;
    uint64_t volume_size = uint64_t{64} << 30;
    size_t required = 1;
    bool sql = false;
    MemoryPlan plan = small_plan();
};

/// What a reader found.
struct ReadBack {
    std::map<std::string, std::string> sections; ///< bytes by name
    std::string stream;                          ///< of all frames, with the marker lines
    uint64_t frames = 0, rows = 0;
};

/// Registry, services and log of one test. Confined.
class ArchiveBed {
public:
    FakeRegistry registry;
    TestLog log;
    CountingObserver observer;
    std::stop_source stop;
    Services services{log, stop.get_token()};

    DriverPtr compressor(const std::string& name = "store", const OptionText& options = {}) {
        return set_up(registry, kCompressor, {name, options}, "compress");
    }
    DriverPtr encryptor(const std::string& key = "key one", const std::string& name = "xor") {
        return set_up(registry, kEncryptor, {name, {{"key", {key}}}}, "encrypt");
    }
    Storage& storage(const std::string& name) {
        storages_.push_back(std::make_unique<Storage>(
            name, set_up(registry, kStorage, {"memory", {{"name", {name}}}}, "storage"), services));
        return *storages_.back();
    }
    ArchiveAccess access(Storage& from, const DriverPtr& with = {}) {
        std::vector<std::string> keys;
        if (manifest.encryptor) keys = manifest.encryptor->key_fingerprints;
        return {from, kFolder, with, keys, services, observer};
    }

    /// Writes everything but the manifest object, and keeps the record in `manifest`.
    void write(const WriteSpec& spec) {
        Crew crew(stop.get_token());
        UploadFan fan(crew, log, spec.storages,
                      {spec.required, spec.plan.part_size, spec.plan.parts});
        FrameFlow frames(spec.plan.frames, spec.plan.frame_capacity, crew.token());
        PackedFlow packed(spec.plan.outputs, crew.token());
        const std::stop_callback wake(crew.token(), [&] {
            for (Storage* one : spec.storages)
                one->interrupt();
        });
        crew.run([&] { write_stages(crew, fan, frames, packed, spec); });
        fan.close();
        if (!crew.wait()) crew.check();
        targets = fan.targets();
    }

    /// Reads everything (or what `setup` wants) and gives it back in order.
    ReadBack read(const ArchiveAccess& from, const DriverPtr& codec, FrameReader::Setup setup) {
        Crew crew(stop.get_token());
        ReadBack back;
        FrameReader reader(crew, from, manifest, codec, std::move(setup));
        const std::stop_callback wake(crew.token(), [&] { from.storage.interrupt(); });
        crew.run([&] {
            while (ReadFramePtr frame = reader.next()) {
                collect(reader, *frame, back);
                reader.recycle(std::move(frame));
            }
        });
        crew.join();
        return back;
    }

    Manifest manifest;
    std::vector<UploadFan::Target> targets; ///< of the last write

private:
    void write_stages(Crew& crew, UploadFan& fan, FrameFlow& frames, PackedFlow& packed,
                      const WriteSpec& spec) {
        const auto suffix = [](const DriverPtr& driver) {
            return driver ? codec_file(*driver).suffix : std::string();
        };
        const std::string codec = suffix(spec.compressor), cipher = suffix(spec.encryptor);
        IndexWriter index(std::make_unique<ObjectWriter>(fan, kFolder, index_name(codec, cipher),
                                                         spec.encryptor, services),
                          spec.compressor, services, kArchiveId);
        SectionTable sections;
        VolumeWriter volumes({0, kFolder, "shop", "db", codec, cipher, spec.volume_size}, fan,
                             index, sections, spec.encryptor, services, observer);
        start_compressors(crew, spec.plan.workers, spec.compressor, services, frames, packed);
        {
            std::jthread units([&] {
                run_units(crew, spec, frames, sections, index);
                frames.close();
            });
            crew.run([&] { volumes.run(packed); });
        }
        crew.check();
        volumes.write_totals();
        manifest = {};
        manifest.id = kArchiveId;
        manifest.index = index.finish();
        volumes.commit();
        index.commit();
        describe(spec, volumes, codec, cipher);
    }

    /// As many at once as the plan allows, as a job does.
    static void run_units(Crew& crew, const WriteSpec& spec, FrameFlow& frames,
                          SectionTable& sections, IndexWriter& index) {
        std::atomic<uint32_t> next{0};
        std::vector<std::jthread> threads;
        for (unsigned t = 0; t < spec.plan.units; ++t)
            threads.emplace_back([&] {
                for (uint32_t i = next++; i < spec.units.size(); i = next++)
                    crew.run([&] {
                        UnitFramer framer({i, 0, spec.units[i].ordered, spec.sql ? kMarker : "",
                                           spec.plan.frame_size, spec.plan.fragment_target},
                                          frames, sections, index);
                        spec.units[i].write(bk::Sink(&framer.sink()));
                        framer.finish();
                    });
            });
    }

    void describe(const WriteSpec& spec, const VolumeWriter& volumes, const std::string& codec,
                  const std::string& cipher) {
        ComponentRecord component;
        component.name = "shop";
        component.extension = "db";
        component.format = spec.sql ? "sql" : "binary";
        component.marker = spec.sql ? kMarker : "";
        component.volumes = volumes.volumes();
        component.frames = volumes.frames();
        component.plain_size = volumes.plain_size();
        component.rows = volumes.rows().rows;
        manifest.components = {component};
        manifest.environment = "prod";
        manifest.source = "shop";
        manifest.plain_size = component.plain_size;
        if (spec.compressor) manifest.compressor = {"store", codec, "", {}, {}};
        if (spec.encryptor) manifest.encryptor = {"xor", cipher, "", {}, volumes.fingerprints()};
    }

    static void collect(const FrameReader& reader, const ReadFrame& frame, ReadBack& back) {
        const std::string_view text(reinterpret_cast<const char*>(frame.data.get()),
                                    frame.index.plain_length);
        back.stream += text;
        ++back.frames;
        for (const IndexSegment& segment : frame.index.segments) {
            std::string& bytes = back.sections[reader.section(segment.section).name];
            bytes += text.substr(segment.offset, segment.length);
            back.rows += segment.sum.rows;
        }
    }

    std::vector<std::unique_ptr<Storage>> storages_;
};

} // namespace bkhost::test
