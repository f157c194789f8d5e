// The list of a storage: a walk in the byte order of full keys that holds a bounded number of names
// a directory, however many objects there are.
#pragma once

#include "tree.hpp"

#include <bkhost/storage.hpp>

#include <string>
#include <vector>

namespace local {

struct ListRequest {
    std::string prefix;      ///< may end in the middle of a part
    std::string start_after; ///< "": from the first
    std::string delimiter;   ///< "": nothing is folded
};

/// One list. Confined.
class Listing {
public:
    /// `batch`: how many names of a directory are held at once; a larger directory is read again.
    Listing(const Tree& tree, ListRequest request, const bk::Storage::Found& found,
            const InterruptMark& mark, size_t batch = 65536);

    /// Throws INVALID for a prefix that no key can have, and whenever the list would not be whole:
    /// a directory that cannot be read, a link, a device, a name that is no part of a key.
    void run();

private:
    void visit_folder(int folder, const std::string& path);
    void visit(int folder, const std::string& path, const std::string& name);
    void emit(int folder, const std::string& name, const std::string& key);
    [[nodiscard]] std::vector<std::string> next_names(int folder, const std::string& path,
                                                      const std::string& after) const;
    [[nodiscard]] bool wanted(const std::string& full, bool is_folder) const;
    [[nodiscard]] bool folded_before(const std::string& full) const;

    const Tree& tree_;
    const ListRequest request_;
    const bk::Storage::Found& found_;
    const InterruptMark& mark_;
    const size_t batch_;
    std::string folded_; ///< the entry that keys are folded into just now
};

} // namespace local
