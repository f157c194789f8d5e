#include "core/job/reading_mark.hpp"

#include "core/job/own_storage.hpp"

#include <bkhost/error.hpp>

#include <string_view>
#include <vector>

namespace bkhost {
namespace {

constexpr std::string_view kReading = "reading-";
constexpr size_t kTimeLength = 16; // "20260211T031500Z"

struct Mark {
    std::string key;
    TimeMs at = 0;
    std::string restore_id;
};

/// Nothing for any other object.
std::optional<Mark> parse_mark(const std::string& key, const std::string& folder) {
    std::string_view name = key;
    name.remove_prefix(folder.size() + kReading.size());
    if (name.size() < kTimeLength + 2 || name[kTimeLength] != '-') return std::nullopt;
    const std::optional<TimeMs> at = parse_time(name.substr(0, kTimeLength));
    const std::string_view id = name.substr(kTimeLength + 1);
    if (!at || !is_id(id)) return std::nullopt;
    return Mark{key, *at, std::string(id)};
}

std::vector<Mark> marks(Storage& storage, const std::string& folder) {
    std::vector<Mark> found;
    storage.list(folder + std::string(kReading), false,
                 [&](const std::string& key, const ObjectInfo&) {
                     if (std::optional<Mark> mark = parse_mark(key, folder))
                         found.push_back(std::move(*mark));
                 });
    return found;
}

} // namespace

std::optional<std::string> find_reading_mark(Storage& storage, const std::string& folder,
                                             TimeMs now) {
    for (const Mark& mark : marks(storage, folder))
        if (mark.at + kReadingMarkMs > now) return mark.key;
    return std::nullopt;
}

void remove_reading_marks(Storage& storage, const std::string& folder,
                          const std::string& restore_id) {
    std::vector<std::string> keys;
    for (const Mark& mark : marks(storage, folder))
        if (mark.restore_id == restore_id) keys.push_back(mark.key);
    storage.remove(keys);
}

ReadingMark::ReadingMark(const JobContext& context, Storage& storage, const std::string& folder,
                         const std::string& restore_id)
    : context_(context), storage_(storage),
      key_(folder + std::string(kReading) + format_time_compact(context.clock.now()) + "-" +
           restore_id) {
    try {
        storage.put(key_, {}, false);
        written_ = true;
    } catch (const bk::Error& error) {
        if (error.cancelled()) throw;
        context.log.debug(std::string("no mark was left beside the archive: ") + error.what());
    }
}

/// With an instance of its own: the restore's may have been interrupted.
ReadingMark::~ReadingMark() {
    if (!written_) return;
    try {
        OwnStorage own(context_.log, storage_.name(), storage_.driver(), {});
        own.storage.remove({key_});
    } catch (const std::exception& error) {
        context_.log.warn(std::string("the mark of the restore was not removed: ") + error.what());
    }
}

} // namespace bkhost
