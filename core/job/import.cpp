#include "core/job/import.hpp"

#include "core/archive/naming.hpp"
#include "core/driver/codec.hpp"

#include <bkhost/error.hpp>

#include <set>

namespace bkhost {
FoundArchive describe_archive(const Manifest& m, const ArchivePlace& place) {
    FoundArchive found;
    BackupRow& row = found.row;
    row.id = m.id;
    row.job = m.job;
    row.source = m.source;
    row.tenant = m.tenant;
    row.environment = m.environment;
    row.type = m.type;
    row.engine = m.engine.name;
    row.engine_version = m.engine.version;
    row.format = m.components.empty() ? "" : m.components.front().format;
    row.state = BackupState::completed;
    row.archive_key = place.folder;
    row.started_ms = m.started_ms;
    row.finished_ms = m.finished_ms;
    row.plain_size = static_cast<int64_t>(m.plain_size);
    row.stored_size = static_cast<int64_t>(m.stored_size);
    row.rows = static_cast<int64_t>(m.rows.value_or(0));
    if (m.compressor) row.compression = codec_text(m.compressor->driver, m.compressor->options);
    row.encryption = m.encryptor ? m.encryptor->driver : "";
    if (m.encryptor) row.key_ids = m.encryptor->key_fingerprints;
    row.manifest_sha256 = m.sha256;
    row.host_name = m.host;
    row.parent_id = m.parent;
    row.bkhost_version = m.created_by;

    found.copy.backup_id = m.id;
    found.copy.storage = place.storage.name;
    found.copy.location = place.storage.spec;
    found.copy.state = CopyState::stored;
    found.copy.size = static_cast<int64_t>(m.stored_size);
    found.copy.manifest_sha256 = m.sha256;

    found.change.engine = row.engine;
    found.change.engine_version = row.engine_version;
    found.change.format = row.format;
    found.change.finished_ms = row.finished_ms;
    found.change.plain_size = row.plain_size;
    found.change.stored_size = row.stored_size;
    found.change.rows = row.rows;
    found.change.key_ids = row.key_ids;
    found.change.manifest_sha256 = row.manifest_sha256;
    return found;
}

ImportResult import_storage(const JobContext& context, const NamedDriver& named) {
    Services services(context.log, context.stop);
    const DriverPtr driver =
        set_up(context.registry, kStorage, named.spec, "storage '" + named.name + "'");
    Storage storage(named.name, driver, services);
    std::vector<ArchiveLocation> locations;
    storage.list("", false, [&](const std::string& key, const ObjectInfo&) {
        if (std::optional<ArchiveLocation> location = parse_manifest_key(key))
            locations.push_back(std::move(*location));
    });

    ImportResult result;
    std::set<std::string> present;
    const NamedDriver place_driver{named.name, {named.spec.driver, driver->values.public_text()}};
    for (const ArchiveLocation& location : locations) {
        if (context.stop.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled");
        ++result.found;
        present.insert(location.id);
        const std::string key = location.prefix + std::string(kManifestName);
        try {
            const Manifest manifest =
                parse_manifest(storage.read_all(key, kManifestLimit),
                               "storage '" + named.name + "', object '" + key + "'");
            if (manifest.id != location.id)
                throw bk::Error(BK_E_CORRUPT, "storage '" + named.name + "', object '" + key +
                                                  "': belongs to another backup ('" + manifest.id +
                                                  "')");
            const FoundArchive found = describe_archive(manifest, {place_driver, location.prefix});
            const ImportOutcome outcome = context.catalog.import_backup(found.row, {found.copy});
            if (outcome == ImportOutcome::inserted || outcome == ImportOutcome::adopted)
                ++result.inserted;
            else
                ++result.refreshed;
        } catch (const bk::Error& error) {
            if (error.status() == BK_E_NOT_FOUND) { // deleted since it was listed
                present.erase(location.id);
                --result.found;
                continue;
            }
            if (error.status() != BK_E_CORRUPT && error.status() != BK_E_UNSUPPORTED) throw;
            result.problems.emplace_back(error.what());
        }
    }
    BackupFilter there;
    there.storage = named.name;
    for (CopyRow copy : context.catalog.copies(there)) {
        if (copy.storage != named.name || copy.state != CopyState::stored ||
            present.contains(copy.backup_id))
            continue;
        copy.state = CopyState::missing;
        copy.error = "the storage no longer has it";
        context.catalog.put_copy(copy);
    }
    return result;
}

} // namespace bkhost
