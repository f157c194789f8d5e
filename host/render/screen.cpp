#include "host/render/screen.hpp"

#include "host/render/terminal_text.hpp"

#include <cerrno>
#include <cstdlib>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bkhost {
namespace {
constexpr size_t kDefaultWidth = 80;
constexpr int kPatienceMs = 1000; // for a full pipe or terminal that does not block
constexpr std::string_view kEraseLine = "\r\x1b[K";
constexpr std::string_view kEraseRest = "\x1b[K";

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

bool wait_writable(int fd) noexcept {
    pollfd wanted{fd, POLLOUT, 0};
    const int ready = ::poll(&wanted, 1, kPatienceMs);
    return ready > 0 || (ready < 0 && errno == EINTR);
}
} // namespace

bool write_all(int fd, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote >= 0)
            bytes.remove_prefix(static_cast<size_t>(wrote));
        else if (errno == EAGAIN && wait_writable(fd))
            continue;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

Screen::Screen(int fd) : fd_(fd) {
    const char* term = std::getenv("TERM");
    can_redraw_ = ::isatty(fd) == 1 && is_set("TERM") && std::string_view(term) != "dumb";
    has_colours_ = can_redraw_ && !is_set("NO_COLOR");
}

Screen::~Screen() { set_status({}); }

size_t Screen::width() const {
    winsize size{};
    const bool known = ::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : kDefaultWidth;
}

void Screen::write_line(std::string_view text) {
    const std::lock_guard lock(mutex_);
    std::string out(status_.empty() ? std::string_view{} : kEraseLine);
    out += text;
    if (!text.ends_with('\n')) out += '\n';
    out += status_;
    write_all(fd_, out);
}

void Screen::set_status(std::string_view text) {
    if (!can_redraw_) return;
    // The last column stays free: a terminal may wrap after it.
    const std::string_view fitting = cut_to_width(text, width() - 1);
    const std::lock_guard lock(mutex_);
    if (status_ == fitting) return;
    status_ = fitting;
    write_all(fd_,
              status_.empty() ? std::string(kEraseLine) : "\r" + status_ + std::string(kEraseRest));
}

} // namespace bkhost
