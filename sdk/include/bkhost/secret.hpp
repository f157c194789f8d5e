// Optional, for drivers that hold keys: memory that is wiped when it goes, and key files on disk.
#pragma once

#include <bkhost/error.hpp>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bk::inline v0 {

/// Overwrites in a way that the compiler does not leave out. Thread-safe.
inline void wipe(void* data, size_t size) noexcept {
    if (size > 0) ::explicit_bzero(data, size);
}

/// N secret bytes; every copy wipes itself.
template <size_t N>
class SecretBytes : public std::array<uint8_t, N> {
public:
    SecretBytes() noexcept : std::array<uint8_t, N>{} {}
    SecretBytes(const SecretBytes&) = default;
    SecretBytes& operator=(const SecretBytes&) = default;
    ~SecretBytes() { wipe(this->data(), N); }
};

/// A secret text. Never grows, so that no old buffer is left behind; wiped over its whole capacity,
/// for a moved-from or shortened one keeps bytes past its end.
class SecretText {
public:
    SecretText() = default;
    /// Takes the text over and wipes where it came from.
    explicit SecretText(std::string&& text) noexcept : text_(std::move(text)) { clear(text); }
    SecretText(SecretText&&) = default;
    SecretText& operator=(SecretText&&) = delete;
    ~SecretText() { clear(text_); }
    [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

private:
    static void clear(std::string& text) noexcept {
        text.resize(text.capacity());
        wipe(text.data(), text.size());
    }

    std::string text_;
};

/// A file of keys, open. Confined to one thread.
class KeyFile {
public:
    /// Longest one that is read.
    static constexpr size_t kMaxSize = 64 * 1024;

    /// `who` stands before messages: "age". Throws what the system says: NOT_FOUND, DENIED.
    KeyFile(const std::string& path, std::string who) : path_(path), who_(std::move(who)) {
        descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor_ < 0) throw_errno(errno, who_ + ": cannot open the key file " + name());
    }
    ~KeyFile() { ::close(descriptor_); }
    KeyFile(const KeyFile&) = delete;
    KeyFile& operator=(const KeyFile&) = delete;

    /// For messages: its path in quotes.
    [[nodiscard]] std::string name() const { return "'" + path_ + "'"; }

    /// CONFIG when others than its owner may read or write it. Looks at the file that is open, so
    /// that nobody can exchange it in between.
    void refuse_when_others_may_read() const {
        struct stat info {};
        if (::fstat(descriptor_, &info) != 0)
            throw_errno(errno, who_ + ": cannot examine the key file " + name());
        if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
            throw Error(BK_E_CONFIG, who_ + ": the key file " + name() + " is open to others",
                        "chmod 600 " + path_);
    }

    /// Throws CONFIG when it is too long.
    [[nodiscard]] SecretText read() const {
        std::string text(kMaxSize + 1, '\0');
        size_t size = 0;
        while (size < text.size()) {
            const ssize_t got = ::read(descriptor_, text.data() + size, text.size() - size);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) throw_errno(errno, who_ + ": cannot read the key file " + name());
            if (got == 0) break;
            size += static_cast<size_t>(got);
        }
        text.resize(size);
        SecretText content(std::move(text));
        if (size > kMaxSize)
            throw Error(BK_E_CONFIG, who_ + ": " + name() + " is too long for a key file",
                        "the limit is 64 KiB");
        return content;
    }

private:
    const std::string path_, who_;
    int descriptor_;
};

} // namespace bk::inline v0
