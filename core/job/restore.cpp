#include "core/job/restore.hpp"

#include "core/base/text.hpp"
#include "core/job/load_stream.hpp"
#include "core/job/reading_mark.hpp"
#include "core/job/run_end.hpp"
#include "core/job/sequential_load.hpp"
#include "core/job/table_choice.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::json;

std::string load_request(const RestoreRequest& request, const Manifest& manifest) {
    const ComponentRecord& component = manifest.components.front();
    Json text{{"archive_id", manifest.id},
              {"engine", manifest.engine.name},
              {"version", manifest.engine.version},
              {"format", component.format},
              {"layout", Json::parse(component.layout)},
              {"target", request.replace ? "replace" : "refuse"},
              {"what", "all"}};
    if (!request.tables.empty()) text["include"] = request.tables;
    return text.dump();
}

/// Of what a driver says of one table (extract.h); 0 when it does not say it rightly.
int64_t rows_of(const std::string& text) {
    const Json table = Json::parse(text, nullptr, false);
    const auto rows = table.is_object() ? table.find("rows") : table.end();
    return rows != table.end() && rows->is_number_integer() ? rows->get<int64_t>() : 0;
}

class RestoreRun {
public:
    RestoreRun(const JobContext& context, const RestoreRequest& request)
        : context_(context), request_(request), id_(make_id(context.clock)),
          link_(context.stop, std::function<void()>([this] { stop_.request_stop(); })),
          target_(set_up(context.registry, kDumper, request.target,
                         "target '" + request.target_text + "'")) {
        if (request.sequential && !request.tables.empty())
            throw bk::Error(BK_E_CONFIG, "single tables cannot be restored without the index",
                            "restore all with --sequential, or make the index anew with "
                            "'bkhost reindex' first");
        if (request.places.empty())
            throw bk::Error(BK_E_NOT_FOUND, "no storage has backup '" + request.backup_id + "'",
                            "see 'bkhost show " + request.backup_id + "'");
    }

    RestoreRow run();

private:
    void work();
    void load_from(const ArchivePlace& place);
    void load(OpenArchive& archive, Dumper& dumper);
    void extract(OpenArchive& archive, Dumper& dumper);
    [[nodiscard]] TableChoice choose(OpenArchive& archive);

    const JobContext& context_;
    const RestoreRequest& request_;
    const std::string id_;
    std::stop_source stop_;
    std::stop_callback<std::function<void()>> link_;
    DriverPtr target_;
    RestoreChange change_;
};

RestoreRow RestoreRun::run() {
    RestoreRow row;
    row.id = id_;
    row.backup_id = request_.backup_id;
    row.source = request_.places.front().storage.name;
    row.target = request_.target_text;
    row.environment = request_.environment;
    row.started_ms = context_.clock.now();
    row.host_name = context_.host_name;
    row.initiated_by = context_.initiated_by;
    row.notes = request_.notes;
    row.tables = request_.tables;
    LeaseKeeper keeper(context_.catalog, context_.catalog.begin_restore(row),
                       [this] { stop_.request_stop(); });
    context_.catalog.transition(id_, RestoreState::pending, RestoreState::running, {},
                                &keeper.lease());
    try {
        work();
    } catch (const std::exception& error) {
        const RunEnd end = run_end(error);
        change_.error = end.error;
        change_.hint = end.hint;
        context_.catalog.finish_restore(id_, RestoreState::running,
                                        end.cancelled ? RestoreState::cancelled
                                                      : RestoreState::failed,
                                        change_, keeper.lease());
        throw;
    }
    context_.catalog.finish_restore(id_, RestoreState::running, RestoreState::completed, change_,
                                    keeper.lease());
    return *context_.catalog.restore(id_);
}

void RestoreRun::work() {
    for (size_t i = 0; i < request_.places.size(); ++i) {
        try {
            load_from(request_.places[i]);
            return;
        } catch (const bk::Error& error) {
            if (i + 1 == request_.places.size() || !worth_another_copy(error)) throw;
            context_.log.warn(std::string(error.what()) + "; trying storage '" +
                              request_.places[i + 1].storage.name + "'");
        }
    }
}

void RestoreRun::load_from(const ArchivePlace& place) {
    change_.source = place.storage.name;
    Services services(context_.log, stop_.get_token());
    OpenArchive archive(context_, place, request_.decrypt, services);
    const ReadingMark mark(context_, archive.storage(), archive.folder(), id_);
    const Manifest& manifest = archive.manifest();
    check_restorable(manifest, target_->description.name);
    Dumper dumper("target '" + request_.target_text + "'", target_, services);
    context_.observer.begin();
    context_.observer.stage("restoring " + manifest.id,
                            request_.tables.empty() ? manifest.plain_size : 0);
    if (request_.tables.empty() || manifest.components.front().format == "sql")
        load(archive, dumper);
    else
        extract(archive, dumper);
}

void RestoreRun::load(OpenArchive& archive, Dumper& dumper) {
    const Manifest& manifest = archive.manifest();
    const bool chosen = !request_.tables.empty();
    const TableChoice choice = chosen ? choose(archive) : TableChoice{};
    std::unique_ptr<LoadSession> session = dumper.load_begin(load_request(request_, manifest));
    std::unique_ptr<FrameReader> frames; // outlives the crew's threads
    Crew crew(stop_.get_token());
    const std::stop_callback wake(crew.token(), [&] {
        dumper.interrupt();
        archive.storage().interrupt();
    });
    FrameReader::Setup setup{.workers = request_.workers};
    LoadStream::Wanted wanted;
    if (chosen) {
        setup.wanted = [&](const IndexFrame& frame) { return choice.has_any(frame); };
        wanted = [&](uint32_t section) { return choice.has(section); };
    }
    if (!request_.sequential) frames = archive.frames(crew, std::move(setup), request_.memory);
    crew.run([&] {
        uint64_t bytes = 0, rows = 0;
        if (request_.sequential) {
            SequentialLoad stream(archive.access(), manifest, archive.compressor(), *session);
            stream.run();
            bytes = stream.bytes();
        } else {
            LoadStream stream(*frames, *session, manifest.id, context_.observer, wanted);
            stream.run();
            bytes = stream.bytes();
            rows = stream.rows();
        }
        if (bytes == 0) throw bk::Error(BK_E_CORRUPT, "backup '" + manifest.id + "' gave no data");
        change_.bytes = static_cast<int64_t>(bytes);
        change_.rows = static_cast<int64_t>(chosen ? rows : manifest.rows.value_or(rows));
    });
    crew.join(); // before the commit: a failure that the loader did not see must not pass
    context_.observer.stage("checking " + request_.target_text, 0);
    session->commit();
}

TableChoice RestoreRun::choose(OpenArchive& archive) {
    const std::vector<SectionInfo> sections =
        read_sections(archive.access(), archive.manifest(), archive.compressor());
    check_table_names(archive.manifest().id, request_.tables, table_names(sections));
    TableChoice choice = choose_sections(sections, request_.tables);
    for (const std::string& text : choice.left_out)
        context_.log.warn(text);
    return choice;
}

/// Tables out of a format that is no script: the driver reads what it needs.
void RestoreRun::extract(OpenArchive& archive, Dumper& dumper) {
    const std::string request = load_request(request_, archive.manifest());
    const std::unique_ptr<SectionReader> section = archive.section(request_.memory);
    const std::stop_callback wake(stop_.get_token(), [&] {
        dumper.interrupt();
        archive.storage().interrupt();
    });
    check_table_names(archive.manifest().id, request_.tables,
                      dumper.table_names(request, *section->source()));
    int64_t rows = 0;
    for (const std::string& table : dumper.extract(request, *section->source()))
        rows += rows_of(table);
    change_.bytes = static_cast<int64_t>(section->fetched());
    change_.rows = rows;
}

} // namespace

bool worth_another_copy(const bk::Error& error) {
    switch (error.status()) {
    case BK_E_CORRUPT:
    case BK_E_NOT_FOUND:
    case BK_E_UNAVAILABLE:
    case BK_E_TIMEOUT: return true;
    default: return false;
    }
}

void check_restorable(const Manifest& manifest, const std::string& target_driver) {
    if (manifest.components.size() != 1)
        throw bk::Error(BK_E_UNSUPPORTED,
                        "backup '" + manifest.id + "' has " +
                            std::to_string(manifest.components.size()) +
                            " components, and this program restores one",
                        "use a newer bkhost");
    if (manifest.engine.driver != target_driver)
        throw bk::Error(BK_E_CONFIG,
                        "backup '" + manifest.id + "' was made by the " + manifest.engine.driver +
                            " driver and cannot go into a target of the driver '" + target_driver +
                            "'",
                        "give a target of the same engine with --to");
}

RestoreRow run_restore(const JobContext& context, const RestoreRequest& request) {
    return RestoreRun(context, request).run();
}

void stream_archive(const JobContext& context, const ArchivePlace& place,
                    const DecryptOptions& decrypt, uint64_t memory, const StreamOutput& output) {
    Services services(context.log, context.stop);
    OpenArchive archive(context, place, decrypt, services);
    std::unique_ptr<FrameReader> frames; // outlives the crew's threads
    Crew crew(context.stop);
    frames = archive.frames(crew, {}, memory);
    context.observer.begin();
    context.observer.stage("reading " + archive.manifest().id, archive.manifest().plain_size);
    crew.run([&] {
        while (ReadFramePtr frame = frames->next()) {
            output(frame->bytes());
            context.observer.add_plain(frame->bytes().size());
            frames->recycle(std::move(frame));
        }
    });
    crew.join();
}

} // namespace bkhost
