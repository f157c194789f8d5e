// One plugin file, opened: who it is, whether it can be trusted, and its bytes. Runs nothing of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bkhost {

/// Which file, and in which state: differs once the file was replaced or written to.
struct FileId {
    uint64_t device = 0, inode = 0, size = 0;
    int64_t modified_ns = 0;
    bool operator==(const FileId&) const = default;
};

/// Confined to one thread. What it says of the file is of the descriptor it holds, so that the file
/// cannot be exchanged between two questions.
class PluginFile {
public:
    /// Resolves symbolic links, opens. Throws what open(2) gives, INVALID when it is no regular
    /// file.
    explicit PluginFile(const std::string& path);
    ~PluginFile();
    PluginFile(const PluginFile&) = delete;
    PluginFile& operator=(const PluginFile&) = delete;

    [[nodiscard]] const std::string& real_path() const noexcept { return real_path_; }
    [[nodiscard]] const FileId& id() const noexcept { return id_; }
    /// Fills `out` or gives false (end of file, read error).
    [[nodiscard]] bool read(uint64_t offset, std::span<uint8_t> out) const noexcept;
    /// 64 hex digits. Throws UNAVAILABLE when the file cannot be read whole.
    [[nodiscard]] std::string sha256() const;

    /// Why code from this file must not be run, or "": the file and its directory may be written by
    /// their owner alone, and the owner is root or the effective user (root alone when privileged);
    /// no directory above may let others exchange what lies in it.
    [[nodiscard]] std::string distrust(bool privileged) const;

private:
    std::string real_path_;
    int fd_ = -1;
    FileId id_;
    uint32_t mode_ = 0, owner_ = 0;
};

} // namespace bkhost
