// An object on its way: written under a temporary name in the directory where it will lie.
#pragma once

#include "key.hpp"
#include "root.hpp"
#include "temp_file.hpp"

#include <bkhost/storage.hpp>

namespace local {

/// part() is thread-safe, the rest confined.
class LocalUpload final : public bk::Upload {
public:
    /// Makes the directories and the temporary file. Throws UNSUPPORTED for a condition or a lock
    /// that a directory cannot give.
    LocalUpload(Root& root, Key key, const bk_put_options& options, const Interrupts& interrupts);
    ~LocalUpload() override;

    void part(bk_part& part, bk::Bytes data) override;
    bk_object commit(std::span<const bk_part> parts) override;
    void abort() override;

private:
    enum class State {
        writing,
        synced,  ///< the file is on the disk, under its temporary name
        visible, ///< it has its name, which may not be on the disk yet
        committed,
        broken, ///< a sync failed
        aborted
    };

    void open_temp_file();
    void check_parts(std::span<const bk_part> parts) const;
    void sync();
    void make_visible();
    void link_if_absent();
    [[noreturn]] void throw_not_visible(int number) const;
    [[nodiscard]] bool replaced() const;
    [[nodiscard]] struct stat status() const;

    const Settings& settings_;
    const Key key_;
    const bool if_absent_;
    const InterruptMark mark_;
    Descriptor root_;
    Tree tree_;
    Descriptor folder_;
    TempFile temp_;
    Descriptor direct_; ///< of the same file, past the page cache; empty where there is no such way
    size_t kept_folders_;    ///< how many of the key's directories this upload did not make
    const std::string path_; ///< of the object, for messages
    State state_ = State::writing;
};

} // namespace local
