#include "listing.hpp"

#include "key.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

namespace local {
namespace {

[[noreturn]] void throw_foreign(const std::string& path, const std::string& what) {
    throw bk::Error(
        BK_E_DENIED, "'" + path + "' in the storage " + what,
        "move it out of the storage directory; for a directory elsewhere use a bind mount");
}

/// The name as it is compared: a directory with its "/", so that the order is that of full keys.
std::string sort_name(const char* name, EntryType type) {
    return type == EntryType::folder ? std::string(name) + "/" : std::string(name);
}

} // namespace

Listing::Listing(const Tree& tree, ListRequest request, const bk::Storage::Found& found,
                 const InterruptMark& mark, size_t batch)
    : tree_(tree), request_(std::move(request)), found_(found), mark_(mark), batch_(batch) {}

void Listing::run() {
    const std::vector<std::string> folders = folders_of_prefix(request_.prefix);
    const Descriptor folder = tree_.open(folders);
    if (!folder) return; // the root is there and marked, so this is a real absence
    const size_t end = request_.prefix.rfind('/');
    visit_folder(folder.get(),
                 end == std::string::npos ? std::string() : request_.prefix.substr(0, end + 1));
}

bool Listing::wanted(const std::string& full, bool is_folder) const {
    if (!full.starts_with(request_.prefix)) return false;
    return full > request_.start_after || (is_folder && request_.start_after.starts_with(full));
}

bool Listing::folded_before(const std::string& full) const {
    return !folded_.empty() && full.starts_with(folded_);
}

std::vector<std::string> Listing::next_names(int folder, const std::string& path,
                                             const std::string& after) const {
    std::vector<std::string> names; // a heap with the largest in front
    for_each_entry(folder, shown_path(tree_.path, path), [&](const char* raw, EntryType type) {
        mark_.check();
        if (type != EntryType::folder && is_temp_name(raw)) return;
        if (path.empty() &&
            (std::string_view(raw) == kMarker || std::string_view(raw) == kLostAndFound))
            return;
        std::string name = sort_name(raw, type);
        if (name <= after || !wanted(path + name, type == EntryType::folder)) return;
        const std::string shown = shown_path(tree_.path, path + raw);
        if (type == EntryType::link)
            throw_foreign(shown, "is a symbolic link, and none is followed");
        if (type == EntryType::other) throw_foreign(shown, "is neither a file nor a directory");
        if (!is_utf8(name))
            throw_foreign(shown_path(tree_.path, path), "holds a name that is not UTF-8");
        if (path.size() + name.size() > kMaxKey + 1) throw_foreign(shown, "is too deep for a key");
        names.push_back(std::move(name));
        std::push_heap(names.begin(), names.end());
        if (names.size() <= batch_) return;
        std::pop_heap(names.begin(), names.end());
        names.pop_back();
    });
    std::sort_heap(names.begin(), names.end());
    return names;
}

void Listing::visit_folder(int folder, const std::string& path) {
    std::string after;
    for (;;) {
        const std::vector<std::string> names = next_names(folder, path, after);
        for (const std::string& name : names) {
            if (!path.empty() && folded_before(path)) return;
            visit(folder, path, name);
        }
        if (names.size() < batch_) return;
        after = names.back();
    }
}

void Listing::visit(int folder, const std::string& path, const std::string& name) {
    const std::string full = path + name;
    if (folded_before(full)) return;
    if (name.back() != '/') return emit(folder, name, full);
    const std::string part = name.substr(0, name.size() - 1);
    const Tree here{folder, shown_path(tree_.path, path)};
    if (const Descriptor next = here.open({&part, 1})) visit_folder(next.get(), full);
}

void Listing::emit(int folder, const std::string& name, const std::string& key) {
    mark_.check();
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return; // removed meanwhile
        throw_file_error(errno, "stat", shown_path(tree_.path, key));
    }
    const size_t at = request_.delimiter.empty()
                          ? std::string::npos
                          : key.find(request_.delimiter, request_.prefix.size());
    if (at == std::string::npos) return found_(key.c_str(), object_of(status));
    folded_ = key.substr(0, at + request_.delimiter.size());
    // A list that goes on after a folded entry does not begin with that entry again.
    if (folded_ != request_.start_after) found_(folded_.c_str(), bk::empty_object());
}

} // namespace local
