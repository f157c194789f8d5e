#include "core/job/archive_cleaner.hpp"

#include "core/archive/naming.hpp"
#include "core/base/clock.hpp"

#include <bkhost/error.hpp>

#include <string_view>

namespace bkhost {

void remove_archive(Storage& storage, const std::string& prefix) {
    const std::string_view folder = std::string_view(prefix).substr(0, prefix.rfind('/'));
    if (!prefix.ends_with('/') || !is_id(folder.substr(folder.rfind('/') + 1)))
        throw bk::Error(BK_E_INVALID, "'" + prefix + "' is not the folder of an archive",
                        "it ends in the id of a backup; nothing was removed");
    storage.remove({prefix + std::string(kManifestName)});
    storage.abort_stale(prefix, 0);
    std::vector<std::string> keys;
    storage.list(prefix, false,
                 [&](const std::string& key, const ObjectInfo&) { keys.push_back(key); });
    storage.remove(keys);
}

} // namespace bkhost
