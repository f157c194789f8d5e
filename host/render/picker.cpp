#include "host/render/picker.hpp"

#include "core/base/text.hpp"
#include "host/render/screen.hpp"
#include "host/render/terminal_text.hpp"

#include <bkhost/error.hpp>

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/eventfd.h>

namespace bkhost {
namespace {

/// A descriptor that becomes readable when the token is stopped. Confined.
class StopEvent {
public:
    explicit StopEvent(const std::stop_token& stop) : callback_(stop, Signal{event_.fd}) {}
    [[nodiscard]] int fd() const noexcept { return event_.fd; }

private:
    struct Event {
        Event() : fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
            if (fd < 0) bk::throw_errno(errno, "cannot wait for an answer");
        }
        Event(const Event&) = delete;
        Event& operator=(const Event&) = delete;
        ~Event() { ::close(fd); }
        const int fd;
    };
    struct Signal {
        int fd;
        void operator()() const noexcept { ::eventfd_write(fd, 1); }
    };
    const Event event_; // closed after the callback can no longer run
    const std::stop_callback<Signal> callback_;
};

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n";
    const size_t first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// One line as the terminal hands it over (a read gives a line in its usual mode); nothing at the
/// end of the input.
std::optional<std::string> read_line(int fd, const StopEvent& stopped,
                                     const std::stop_token& stop) {
    std::string line;
    for (;;) {
        std::array<pollfd, 2> waiting{{{fd, POLLIN, 0}, {stopped.fd(), POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR)
            bk::throw_errno(errno, "cannot wait for an answer");
        if (stop.stop_requested()) throw bk::Error(BK_E_CANCELLED, "cancelled while asking");
        if (waiting[0].revents == 0) continue;
        std::array<char, 256> bytes{};
        const ssize_t got = ::read(fd, bytes.data(), bytes.size());
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            bk::throw_errno(errno, "cannot read the answer");
        if (got == 0) return std::nullopt;
        if (got > 0) line.append(bytes.data(), static_cast<size_t>(got));
        if (line.ends_with('\n')) return line;
    }
}

void check_can_ask(const PickRequest& request, int in_fd, int out_fd) {
    if (request.choices.empty())
        throw bk::Error(BK_E_NOT_FOUND, "there is no " + request.what + " to choose from");
    if (::isatty(in_fd) != 1 || ::isatty(out_fd) != 1)
        throw bk::Error(BK_E_INVALID,
                        "no " + request.what + " is named, and there is no terminal to ask on",
                        "give " + request.argument);
}

} // namespace

std::string format_choices(const std::vector<std::string>& choices) {
    const size_t digits = std::to_string(choices.size()).size();
    std::string out;
    for (size_t i = 0; i < choices.size(); ++i) {
        const std::string number = std::to_string(i + 1);
        out += std::string(digits - number.size() + 2, ' ') + number + ") " +
               escape_terminal(choices[i]);
        out += '\n';
    }
    return out;
}

std::optional<size_t> parse_choice(std::string_view typed, size_t count) {
    const std::optional<int64_t> number = parse_int(trim(typed));
    if (!number || *number < 1 || static_cast<uint64_t>(*number) > count) return std::nullopt;
    return static_cast<size_t>(*number - 1);
}

std::optional<size_t> pick(const PickRequest& request, std::stop_token stop, int in_fd,
                           int out_fd) {
    check_can_ask(request, in_fd, out_fd);
    const StopEvent stopped(stop);
    const std::string range = "1 to " + std::to_string(request.choices.size());
    write_all(out_fd, "Which " + request.what + "?\n" + format_choices(request.choices));
    for (;;) {
        write_all(out_fd, "Number, " + range + " (empty: none): ");
        const std::optional<std::string> line = read_line(in_fd, stopped, stop);
        if (!line || trim(*line).empty()) return std::nullopt;
        if (const auto choice = parse_choice(*line, request.choices.size())) return choice;
        write_all(out_fd, std::string("'")
                              .append(escape_terminal(trim(*line)))
                              .append("' is not a number from ")
                              .append(range)
                              .append(".\n"));
    }
}

} // namespace bkhost
