#include "core/job/archive_cleaner.hpp"

#include "core/archive/naming.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

void remove_archive(Storage& storage, const std::string& prefix) {
    if (prefix.size() < 2 || prefix.back() != '/')
        throw bk::Error(BK_E_INVALID, "'" + prefix + "' is not the folder of an archive");
    storage.remove({prefix + std::string(kManifestName)});
    storage.abort_stale(prefix, 0);
    std::vector<std::string> keys;
    storage.list(prefix, false,
                 [&](const std::string& key, const ObjectInfo&) { keys.push_back(key); });
    storage.remove(keys);
}

} // namespace bkhost
