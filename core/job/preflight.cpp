#include "core/job/preflight.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <string_view>

namespace bkhost {
namespace {

constexpr std::string_view kContent =
    "bkhost tries whether it can write here; this may be removed\n";

/// The object of one trial: removed at the end, come what may.
class Trial {
public:
    Trial(Storage& storage, std::string key) : storage_(storage), key_(std::move(key)) {
        try {
            storage_.put(key_, as_bytes(kContent), false);
        } catch (const bk::Error&) { // it may have arrived all the same
            clean_up();
            throw;
        }
    }
    ~Trial() {
        if (!removed_) clean_up();
    }
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    void remove() {
        removed_ = true;
        storage_.remove({key_});
    }
    [[noreturn]] void wrong(const std::string& what) const {
        throw bk::Error(BK_E_CORRUPT,
                        "storage '" + storage_.name() + "', object '" + key_ + "': " + what,
                        "do not rely on this storage before that is found out");
    }

private:
    void clean_up() noexcept {
        try {
            storage_.remove({key_});
        } catch (const std::exception&) { // what failed before is the thing to report
        }
    }

    Storage& storage_;
    const std::string key_;
    bool removed_ = false;
};

} // namespace

bool may_be_tried(Storage& storage) {
    return (storage.props().capabilities & BK_CAP_IMMUTABLE) == 0;
}

void try_write(Storage& storage, const std::string& key) { Trial(storage, key).remove(); }

std::optional<int64_t> try_all(Storage& storage, const std::string& key, const Clock& clock) {
    const TimeMs before = clock.now();
    Trial trial(storage, key);
    const TimeMs after = clock.now();
    const std::optional<ObjectInfo> info = storage.stat(key);
    if (!info) trial.wrong("is not there after it was written");
    if (info->size != kContent.size() || storage.read_all(key, 4096) != kContent)
        trial.wrong("what was read back differs from what was written");
    bool listed = false;
    storage.list(key, false, [&](const std::string& found, const ObjectInfo&) {
        listed = listed || found == key;
    });
    if (!listed) trial.wrong("is missing in the list of objects");
    trial.remove();
    if (storage.stat(key)) trial.wrong("is still there after it was removed");
    if (info->modified_ms == 0) return std::nullopt;
    if (info->modified_ms < before) return info->modified_ms - before;
    return std::max<int64_t>(0, info->modified_ms - after);
}

} // namespace bkhost
