#include "host/signals.hpp"

#include <bkhost/error.hpp>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace bkhost {
namespace {

int pipe_ends[2] = {-1, -1}; // a handler reaches nothing else

void on_signal(int number) {
    const int saved = errno;
    const auto byte = static_cast<unsigned char>(number);
    if (::write(pipe_ends[1], &byte, 1) < 0) ::_exit(128 + number); // nobody listens any more
    errno = saved;
}

} // namespace

SignalWatch::SignalWatch() {
    if (::pipe2(pipe_ends, O_CLOEXEC) != 0) bk::throw_errno(errno, "cannot make a pipe");
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a file size limit is an error of the write, not the end
    thread_ = std::thread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
    const unsigned char end = 0;
    while (::write(pipe_ends[1], &end, 1) < 0 && errno == EINTR) {
    }
    thread_.join();
}

void SignalWatch::watch() {
    for (;;) {
        unsigned char number = 0;
        const ssize_t got = ::read(pipe_ends[0], &number, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got != 1 || number == 0) return;
        if (signal_ != 0) ::_exit(128 + number); // asked twice: do not wait for anything
        signal_ = number;
        stop_.request_stop();
    }
}

} // namespace bkhost
