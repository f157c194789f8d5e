#include "core/job/preview.hpp"

#include "core/archive/index_reader.hpp"
#include "core/base/text.hpp"
#include "core/driver/dumper.hpp"
#include "core/job/table_choice.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace bkhost {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json, const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

/// Collects what the index says of what would be restored: everything, some sections of a script,
/// or some tables within a page image.
class Content {
public:
    Content(OpenArchive& archive, const std::vector<std::string>& tables, RestorePreview& preview)
        : archive_(archive), tables_(tables), preview_(preview) {
        if (tables.empty()) return;
        preview.at_most = archive.manifest().components.front().format != "sql";
        if (!preview.at_most) choose();
    }

    void read() {
        IndexReader index(archive_.access(), archive_.manifest(), archive_.compressor());
        while (const std::optional<IndexRecord> record = index.next())
            take(*record);
        preview_.index_read = true;
        if (!preview_.at_most || proven_.empty()) return;
        check_table_names(archive_.manifest().id, tables_, proven_);
    }

private:
    void choose() {
        const Manifest& manifest = archive_.manifest();
        const std::vector<SectionInfo> sections =
            read_sections(archive_.access(), manifest, archive_.compressor());
        check_table_names(manifest.id, tables_, table_names(sections));
        choice_ = choose_sections(sections, tables_);
        preview_.left_out = choice_->left_out;
        preview_.bytes_to_fetch = manifest.index.size;
        preview_.bytes_to_load = 0;
        preview_.objects = 1;
    }

    void take(const IndexRecord& record) {
        if (const auto* section = std::get_if<SectionInfo>(&record)) {
            sections_.insert_or_assign(section->number, *section);
        } else if (const auto* frame = std::get_if<IndexFrame>(&record)) {
            if (choice_ && choice_->has_any(*frame)) add_frame(*frame);
        } else if (const auto* total = std::get_if<IndexTotal>(&record)) {
            const SectionInfo& of = sections_[total->section];
            if (choice_ ? choice_->has(total->section) : tables_.empty())
                add(of.kind, of.namespace_name, of.name, total->bytes, total->sum);
        } else if (const auto* proof = std::get_if<IndexProof>(&record)) {
            proven_.push_back(proof->table);
            if (tables_.empty() || contains(tables_, proof->table))
                add("table", proof->namespace_name, proof->table, std::nullopt, proof->sum);
        }
    }

    void add_frame(const IndexFrame& frame) {
        preview_.bytes_to_fetch += frame.packed_length;
        preview_.bytes_to_load += frame.plain_length;
        if (volumes_.insert(frame.volume).second) ++preview_.objects;
    }

    void add(const std::string& kind, const std::string& namespace_name, const std::string& name,
             std::optional<uint64_t> bytes, const RowSum& sum) {
        const bool counted = kind == "table" || sum.rows > 0;
        preview_.items.push_back(
            {kind, namespace_name, name, bytes, counted ? std::optional(sum.rows) : std::nullopt});
    }

    OpenArchive& archive_;
    const std::vector<std::string>& tables_;
    RestorePreview& preview_;
    std::optional<TableChoice> choice_; ///< of a script of which some tables are wanted
    std::map<uint32_t, SectionInfo> sections_;
    std::set<uint32_t> volumes_;
    std::vector<std::string> proven_;
};

class Preview {
public:
    Preview(const JobContext& context, const RestoreRequest& request)
        : context_(context), request_(request), services_(context.log, context.stop) {}

    RestorePreview run() {
        look_at_copies();
        try {
            check_restorable(preview_.manifest, request_.target.driver);
            look_at_target();
        } catch (const bk::Error& error) {
            add_obstacle(error);
        }
        preview_.prediction =
            preview_.at_most
                ? Prediction{std::nullopt, "the driver reads what it needs of the image"}
                : predict_restore(context_.catalog, preview_.manifest.source, preview_.storage,
                                  preview_.bytes_to_load);
        return std::move(preview_);
    }

private:
    void add_obstacle(const bk::Error& error) {
        if (error.cancelled()) throw error;
        preview_.obstacles.push_back(error);
    }

    void look_at_copies() {
        for (size_t i = 0; i < request_.places.size(); ++i) {
            const bool last = i + 1 == request_.places.size();
            try {
                preview_ = {};
                look_at_copy(request_.places[i], last);
                return;
            } catch (const bk::Error& error) {
                if (last || !worth_another_copy(error)) throw;
                context_.log.warn(std::string(error.what()) + "; trying storage '" +
                                  request_.places[i + 1].storage.name + "'");
            }
        }
        throw bk::Error(BK_E_NOT_FOUND, "no storage has backup '" + request_.backup_id + "'",
                        "see 'bkhost show " + request_.backup_id + "'");
    }

    void look_at_copy(const ArchivePlace& place, bool last) {
        OpenArchive archive(context_, place, request_.decrypt, services_);
        preview_.manifest = archive.manifest();
        preview_.storage = place.storage.name;
        for (const ObjectRecord& object : archive.manifest().objects()) {
            preview_.bytes_to_fetch += object.size;
            ++preview_.objects;
        }
        preview_.bytes_to_load = archive.manifest().plain_size;
        try {
            Content(archive, request_.tables, preview_).read();
        } catch (const bk::Error& error) {
            if (!last && worth_another_copy(error)) throw;
            preview_.items.clear();
            add_obstacle(error);
        }
    }

    void look_at_target() {
        const std::string object = "target '" + request_.target_text + "'";
        Dumper dumper(object, set_up(context_.registry, kDumper, request_.target, object),
                      services_);
        std::string probed;
        try {
            probed = dumper.probe();
        } catch (const bk::Error& error) {
            if (error.status() == BK_E_NOT_FOUND) return; // it would be made
            preview_.target.exists = true;
            throw;
        }
        describe_target(Json::parse(probed, nullptr, false),
                        Json::parse(dumper.inspect("{}"), nullptr, false));
        if (!request_.replace) refuse_conflicts(object);
    }

    void refuse_conflicts(const std::string& object) const {
        const PreviewTarget& target = preview_.target;
        std::string conflict;
        if (target.whole_file)
            conflict = " exists";
        else if (!request_.tables.empty() && !target.in_the_way.empty())
            conflict = " has " + join(target.in_the_way) + " already";
        else if (!target.in_the_way.empty())
            conflict = " is not empty";
        if (!conflict.empty())
            throw bk::Error(BK_E_EXISTS, object + conflict,
                            "restore elsewhere with --to, or say --replace");
    }

    void describe_target(const Json& probed, const Json& schema) {
        if (!probed.is_object() || !schema.is_object())
            throw bk::Error(BK_E_INTERNAL, "the target's driver tells nothing that can be read",
                            "report it to the driver's author");
        PreviewTarget& target = preview_.target;
        target.exists = true;
        target.whole_file = request_.tables.empty() && !text_of(probed, "source_path").empty();
        target.engine = text_of(probed, "engine");
        target.version = text_of(probed, "version");
        if (const auto size = probed.find("size");
            size != probed.end() && size->is_number_unsigned())
            target.size = size->get<uint64_t>();
        for (const Json& table : schema.value("tables", Json::array())) {
            const std::string name = text_of(table, "name");
            std::string qualified = text_of(table, "namespace");
            if (!qualified.empty()) qualified += '.';
            qualified += name;
            if (request_.tables.empty() || comes(name)) target.in_the_way.push_back(qualified);
            target.tables.push_back(std::move(qualified));
        }
    }

    /// Whether a table of that name is restored, chosen or because a chosen one depends on it.
    [[nodiscard]] bool comes(const std::string& name) const {
        return contains(request_.tables, name) ||
               std::ranges::any_of(preview_.items, [&](const PreviewItem& item) {
                   return item.name == name && item.kind.ends_with("table");
               });
    }

    const JobContext& context_;
    const RestoreRequest& request_;
    Services services_;
    RestorePreview preview_;
};

/// Plain bytes a millisecond of finished work.
struct Measured {
    std::vector<double> both, storage, source;
};

double speed(int64_t bytes, int64_t duration_ms) {
    return bytes > 0
               ? static_cast<double>(bytes) / static_cast<double>(std::max<int64_t>(1, duration_ms))
               : 0;
}

constexpr int64_t kLookedAt = 200; // finished rows, the newest

Measured measured_restores(const Catalog& catalog, const std::string& source,
                           const std::string& storage) {
    Measured measured;
    for (const RestoreRow& row :
         catalog.restores({.states = {RestoreState::completed}, .limit = kLookedAt})) {
        const double one = speed(row.bytes, row.duration_ms());
        if (one <= 0) continue;
        const std::optional<BackupRow> backup = catalog.backup(row.backup_id);
        const bool same_source = backup && backup->source == source;
        if (row.source == storage) measured.storage.push_back(one);
        if (same_source) measured.source.push_back(one);
        if (same_source && row.source == storage) measured.both.push_back(one);
    }
    return measured;
}

std::vector<double> measured_backups(const Catalog& catalog, const std::string& source) {
    std::vector<double> speeds;
    for (const BackupRow& row :
         catalog.list({.source = source, .states = {BackupState::completed}, .limit = kLookedAt}))
        if (const double one = speed(row.plain_size, row.duration_ms()); one > 0)
            speeds.push_back(one);
    return speeds;
}

Prediction from(std::vector<double> speeds, const std::string& what, const std::string& of,
                uint64_t plain_bytes) {
    const auto middle = speeds.begin() + static_cast<ptrdiff_t>(speeds.size() / 2);
    std::ranges::nth_element(speeds, middle);
    const std::string count =
        std::to_string(speeds.size()) + " " + what + (speeds.size() == 1 ? "" : "s");
    return {static_cast<int64_t>(static_cast<double>(plain_bytes) / *middle),
            (speeds.size() == 1 ? "going by " : "the median of ") + count + " " + of};
}

} // namespace

RestorePreview preview_restore(const JobContext& context, const RestoreRequest& request) {
    return Preview(context, request).run();
}

Prediction predict_restore(const Catalog& catalog, const std::string& source,
                           const std::string& storage, uint64_t plain_bytes) {
    const std::string of_source = "of '" + source + "'",
                      at_storage = "from storage '" + storage + "'";
    const Measured restores = measured_restores(catalog, source, storage);
    if (!restores.both.empty())
        return from(restores.both, "restore", of_source + " " + at_storage, plain_bytes);
    if (!restores.storage.empty())
        return from(restores.storage, "restore", at_storage, plain_bytes);
    if (!restores.source.empty()) return from(restores.source, "restore", of_source, plain_bytes);
    const std::vector<double> backups = measured_backups(catalog, source);
    if (backups.empty()) return {std::nullopt, "nothing was restored here yet"};
    return from(backups, "backup", of_source + ", for nothing was restored here yet", plain_bytes);
}

} // namespace bkhost
