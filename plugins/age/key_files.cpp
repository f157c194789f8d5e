// Key files are read into memory that is wiped afterwards.
#include "key_files.hpp"

#include <bkhost/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace age_plugin {
namespace {

class File {
public:
    explicit File(const std::string& path) : path_(path) {
        descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
        if (descriptor_ < 0) bk::throw_errno(errno, "age: cannot open the key file " + name());
    }
    ~File() { ::close(descriptor_); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] std::string name() const { return "'" + path_ + "'"; }

    // Of the file that is open, so that nobody can exchange it in between.
    void refuse_when_others_may_read() const {
        struct stat info {};
        if (::fstat(descriptor_, &info) != 0)
            bk::throw_errno(errno, "age: cannot examine the key file " + name());
        if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
            throw bk::Error(BK_E_CONFIG, "age: the key file " + name() + " is open to others",
                            "chmod 600 " + path_);
    }

    [[nodiscard]] SecretText read() const {
        std::string text(kMaxKeyFile + 1, '\0');
        size_t size = 0;
        while (size < text.size()) {
            const ssize_t got = ::read(descriptor_, text.data() + size, text.size() - size);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) bk::throw_errno(errno, "age: cannot read the key file " + name());
            if (got == 0) break;
            size += static_cast<size_t>(got);
        }
        text.resize(size);
        SecretText content(std::move(text));
        if (size > kMaxKeyFile)
            throw bk::Error(BK_E_CONFIG, "age: " + name() + " is too long for a key file",
                            "the limit is 64 KiB");
        return content;
    }

private:
    std::string path_;
    int descriptor_;
};

} // namespace

void read_recipients_file(const std::string& path, std::vector<Point>& all) {
    const File file(path);
    parse_recipients(file.read().reveal(), file.name(), all);
}

void read_identity_file(const std::string& path, std::vector<Identity>& all) {
    const File file(path);
    file.refuse_when_others_may_read();
    const size_t before = all.size();
    parse_identities(file.read().reveal(), file.name(), all);
    if (all.size() == before)
        throw bk::Error(BK_E_CONFIG, "age: the key file " + file.name() + " holds no identity",
                        "it needs a line AGE-SECRET-KEY-1..., as age-keygen writes it");
}

} // namespace age_plugin
