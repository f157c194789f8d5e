#include "host/commands/backup_choice.hpp"

#include "core/archive/naming.hpp"
#include "core/base/text.hpp"
#include "host/render/picker.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {

std::vector<ArchivePlace> places_of(Session& session, const BackupRow& row) {
    std::vector<CopyRow> copies = session.catalog().copies(row.id);
    std::erase_if(copies, [](const CopyRow& copy) { return copy.state != CopyState::stored; });
    // A copy that was found damaged is the last resort.
    std::ranges::stable_sort(copies, {}, [](const CopyRow& copy) {
        return copy.verified_outcome == VerifyOutcome::failed ? 1 : 0;
    });
    std::vector<ArchivePlace> places;
    const OpenStorage open = session.open_storage();
    for (const CopyRow& copy : copies)
        places.push_back({open(copy), row.archive_key});
    return places;
}

BackupRow ask(Session& session, const BackupFilter& filter) {
    const std::vector<BackupRow> rows = session.catalog().list(filter);
    PickRequest request{"backup", "an ID or 'latest'", {}};
    for (const BackupRow& row : rows)
        request.choices.push_back(backup_line(row));
    if (rows.empty())
        throw bk::Error(BK_E_NOT_FOUND,
                        "there is no completed backup in environment '" +
                            filter.environment.value_or("") + "'",
                        "see 'bkhost list --all'; choose another one with --environment");
    const std::optional<size_t> picked = pick(request, session.stop());
    if (!picked) throw bk::Error(BK_E_CANCELLED, "no backup was chosen");
    return rows[*picked];
}

BackupRow find_row(Session& session, const BackupChoice& choice) {
    BackupFilter filter;
    filter.environment = session.config().environment;
    if (!choice.source.empty()) filter.source = choice.source;
    filter.states = {BackupState::completed};
    if (choice.id.empty()) return ask(session, filter);
    if (choice.id != "latest") return session.catalog().find_backup(choice.id);
    std::optional<BackupRow> latest = session.catalog().latest(filter);
    if (!latest)
        throw bk::Error(BK_E_NOT_FOUND,
                        "there is no completed backup" +
                            (choice.source.empty() ? "" : " of source '" + choice.source + "'") +
                            " in environment '" + *filter.environment + "'",
                        "see 'bkhost list --all'; choose another one with --environment");
    return *latest;
}

/// Ids order by the second; within one the manifests tell.
ArchiveLocation newest(Storage& storage, std::vector<ArchiveLocation> found) {
    const auto second = [](const ArchiveLocation& location) { return location.id.substr(0, 16); };
    const std::string last = second(*std::ranges::max_element(found, {}, second));
    std::erase_if(found, [&](const ArchiveLocation& location) { return second(location) != last; });
    if (found.size() == 1) return found.front();
    return *std::ranges::max_element(found, {}, [&](const ArchiveLocation& location) {
        const std::string key = location.prefix + std::string(kManifestName);
        return parse_manifest(storage.read_all(key, kManifestLimit), "object '" + key + "'")
            .started_ms;
    });
}

/// Straight from a storage: the newest archive that fits.
ChosenBackup find_on_storage(Session& session, const BackupChoice& choice) {
    const NamedDriver named = session.storage(choice.storage);
    const JobContext context = session.context();
    Services services(session.log(), session.stop());
    Storage storage(named.name,
                    set_up(context.registry, kStorage, named.spec, "storage '" + named.name + "'"),
                    services);
    std::vector<ArchiveLocation> found;
    storage.list("", false, [&](const std::string& key, const ObjectInfo&) {
        std::optional<ArchiveLocation> location = parse_manifest_key(key);
        if (!location || (!choice.source.empty() && location->source != choice.source)) return;
        const bool fits = choice.id == "latest"
                              ? location->environment == session.config().environment
                              : location->id.starts_with(choice.id);
        if (fits) found.push_back(std::move(*location));
    });
    if (found.empty())
        throw bk::Error(BK_E_NOT_FOUND,
                        "storage '" + named.name + "' has no backup '" + choice.id + "'",
                        "see 'bkhost catalog rebuild --from-storage " + choice.storage +
                            "' and then 'bkhost list --all'");
    if (choice.id != "latest" && found.size() > 1)
        throw bk::Error(BK_E_INVALID,
                        "storage '" + named.name + "' has " + std::to_string(found.size()) +
                            " backups that begin with '" + choice.id + "'",
                        "give more of the id");
    const ArchiveLocation best = newest(storage, std::move(found));
    return {best.id, best.source, {{named, best.prefix}}};
}

} // namespace

std::string backup_line(const BackupRow& row) {
    return format_time(row.started_ms).substr(0, 19) + "Z  " + row.source + "  " +
           format_bytes(static_cast<uint64_t>(row.plain_size)) + "  " + row.id;
}

ChosenBackup choose_backup(Session& session, const BackupChoice& choice) {
    if (!choice.storage.empty() && !choice.id.empty()) {
        const bool configured = std::ranges::any_of(
            session.config().storages, [&](const auto& s) { return s.name == choice.storage; });
        if (!configured) return find_on_storage(session, choice);
    }
    const BackupRow row = find_row(session, choice);
    if (row.state != BackupState::completed && row.state != BackupState::expired)
        throw bk::Error(BK_E_NOT_FOUND,
                        "backup '" + row.id + "' is " + std::string(state_name(row.state)) +
                            " and has no archive",
                        "see 'bkhost list' for the completed ones");
    ChosenBackup chosen{row.id, row.source, places_of(session, row)};
    if (!choice.storage.empty()) {
        std::erase_if(chosen.places, [&](const ArchivePlace& place) {
            return place.storage.name != choice.storage;
        });
        if (chosen.places.empty())
            throw bk::Error(BK_E_NOT_FOUND,
                            "storage '" + choice.storage + "' has no copy of backup '" + row.id +
                                "'",
                            "see 'bkhost show " + row.id + "'");
    }
    if (chosen.places.empty())
        throw bk::Error(BK_E_NOT_FOUND, "no storage has a copy of backup '" + row.id + "' any more",
                        "see 'bkhost show " + row.id + "'");
    return chosen;
}

} // namespace bkhost
