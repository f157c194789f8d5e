#include "stale.hpp"

#include "key.hpp"
#include "temp_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <vector>

namespace local {
namespace {

int64_t ms_of(const timespec& time) noexcept {
    return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

class Sweep {
public:
    Sweep(const Tree& tree, const std::string& prefix, int64_t latest_ms, const InterruptMark& mark)
        : tree_(tree), prefix_(prefix), latest_ms_(latest_ms), mark_(mark) {}

    /// `path`: "" or with a "/" at its end.
    uint64_t sweep_folder(int folder, const std::string& path) {
        uint64_t removed = 0;
        std::vector<std::string> below; // one open directory stream at a time
        for_each_entry(folder, shown_path(tree_.path, path), [&](const char* name, EntryType type) {
            mark_.check();
            if (type == EntryType::folder && leads_to_prefix(path, name)) below.emplace_back(name);
            if (type == EntryType::file && may_sweep(path, name) &&
                remove_if_stale(folder, name, shown_path(tree_.path, path + name)))
                ++removed;
        });
        for (const std::string& name : below)
            removed += sweep_below(folder, path, name);
        return removed;
    }

private:
    uint64_t sweep_below(int folder, const std::string& path, const std::string& name) {
        const Tree here{folder, shown_path(tree_.path, path)};
        const Descriptor next = here.open({&name, 1});
        const uint64_t removed = next ? sweep_folder(next.get(), path + name + "/") : 0;
        if (removed > 0) here.remove_empty({&name, 1}, 0);
        return removed;
    }

    [[nodiscard]] bool leads_to_prefix(const std::string& path, const std::string& name) const {
        if (path.empty() && name == kLostAndFound) return false;
        const std::string full = path + name + "/";
        return full.starts_with(prefix_) || prefix_.starts_with(full);
    }

    [[nodiscard]] bool may_sweep(const std::string& path, const char* name) const {
        const auto target = target_of_temp(name);
        return target && (path + std::string(*target)).starts_with(prefix_);
    }

    [[nodiscard]] bool remove_if_stale(int folder, const char* name,
                                       const std::string& shown) const {
        const Descriptor file = open_at(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
        if (!file && errno == ENOENT) return false; // its upload ended meanwhile
        if (!file) throw_file_error(errno, "open", shown);
        struct stat status {};
        if (::fstat(file.get(), &status) != 0) throw_file_error(errno, "stat", shown);
        if (ms_of(status.st_mtim) > latest_ms_ || !try_lock(file.get(), shown)) return false;
        // With the lock held no upload lives; but one may have been committed before we had it, and
        // then this name is gone.
        if (::unlinkat(folder, name, 0) == 0) return true;
        if (errno != ENOENT) throw_file_error(errno, "remove", shown);
        return false;
    }

    const Tree& tree_;
    const std::string& prefix_;
    const int64_t latest_ms_;
    const InterruptMark& mark_;
};

} // namespace

uint64_t remove_stale(const Tree& tree, const std::string& prefix, int64_t min_age_ms,
                      const InterruptMark& mark) {
    const std::vector<std::string> folders = folders_of_prefix(prefix);
    using namespace std::chrono;
    const int64_t now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    return Sweep(tree, prefix, now - min_age_ms, mark).sweep_folder(tree.root, "");
}

} // namespace local
