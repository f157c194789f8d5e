// The starter configuration: as small as can be, with what comes next in comments.
#include "host/config/starter.hpp"

#include <bkhost/error.hpp>

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace bkhost {
namespace {

constexpr std::string_view kStarter =
    R"(# What bkhost backs up, how, and where to. Check it with: bkhost check
# A key that bkhost does not know is an error; a '#' makes a line a comment.

# Where this host stands (letters, digits, _ and -): part of every archive's name.
environment: development

# Where archives lie. More drivers: bkhost plugin list
storages:
  here:
    driver: local
    path: ~/bkhost-backups

# What can be backed up.
sources:
  app:
    driver: sqlite
    path: /path/to/your/app.db        # <- change this line
  # shop:
  #   driver: postgres
  #   host: 127.0.0.1
  #   database: shop
  #   user: bk
  #   password: {env: SHOP_PASSWORD}  # or {file: PATH}, or {command: [pass, show, shop]}

# One job is one backup: bkhost run app
jobs:
  app:
    source: app
    store: here
    compress: {driver: zstd, level: 3}
    # encrypt: {driver: age, recipients: [age1...]}

# To read encrypted archives:
# decrypt:
#   - {driver: age, identity-files: ~/.config/bkhost/identity.txt}
)";

/// Closes and removes the new file again unless it was finished.
class NewFile {
public:
    explicit NewFile(const std::string& path) : path_(path) {
        fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd_ >= 0) return;
        if (errno == EEXIST)
            throw bk::Error(BK_E_EXISTS, "'" + path + "' exists and stays as it is",
                            "edit it, or name another file");
        bk::throw_errno(errno, "cannot write '" + path + "'");
    }
    ~NewFile() {
        if (fd_ < 0) return;
        ::close(fd_);
        ::unlink(path_.c_str());
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    void write(std::string_view text) const {
        while (!text.empty()) {
            const ssize_t written = ::write(fd_, text.data(), text.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) bk::throw_errno(errno, "cannot write '" + path_ + "'");
            text.remove_prefix(static_cast<size_t>(written));
        }
    }

    void finish() {
        if (::fsync(fd_) != 0) bk::throw_errno(errno, "cannot write '" + path_ + "'");
        ::close(fd_);
        fd_ = -1;
    }

private:
    std::string path_;
    int fd_ = -1;
};

} // namespace

std::string_view starter_text() noexcept { return kStarter; }

void write_starter(const std::string& path) {
    NewFile file(path);
    file.write(kStarter);
    file.finish();
}

} // namespace bkhost
