// Runs the program that gives a secret: own pipes for both outputs, a time limit, no shell, and a
// child that inherits no other descriptor.
#include "host/config/secret_value.hpp"

#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <utility> // before Boost.Process 1.74, which misses it

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/group.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>
#include <boost/process/search_path.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bkhost {
namespace {

namespace bp = boost::process;
using SteadyClock = std::chrono::steady_clock;

constexpr size_t kErrorTail = 300;

/// Boost.Process 1.74 opens pipes without CLOEXEC: a child would keep those of others open.
struct CloseOthers : bp::extend::handler {
    template <class Executor>
    void on_exec_setup(Executor&) const {
        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    }
};

/// Becomes readable when the process ends.
struct ProcessFd {
    int fd;
    explicit ProcessFd(pid_t pid) : fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {
        if (fd < 0) bk::throw_errno(errno, "cannot watch a process");
    }
    ~ProcessFd() { ::close(fd); }
    ProcessFd(const ProcessFd&) = delete;
    ProcessFd& operator=(const ProcessFd&) = delete;
};

/// What came through one pipe. Wiped, and never longer than kMaxSecretBytes.
struct Output {
    int fd;
    bool keep_end; ///< drop the beginning of what is too long; else it is an overflow
    bool open = true;
    bool overflow = false;
    std::string text{};

    Output(int pipe, bool keep_end_) : fd(pipe), keep_end(keep_end_) {
        text.reserve(kMaxSecretBytes);
    }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output() { ::explicit_bzero(text.data(), text.size()); }

    /// After poll said that there is something.
    void read_some() {
        std::array<char, 4096> buffer;
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
        if (got <= 0) {
            open = false;
            return;
        }
        const auto bytes = static_cast<size_t>(got);
        const bool full = text.size() + bytes > kMaxSecretBytes;
        if (full && keep_end) text.erase(0, bytes);
        overflow = overflow || (full && !keep_end);
        if (!overflow) text.append(buffer.data(), bytes);
        ::explicit_bzero(buffer.data(), bytes);
    }
};

class SecretCommand {
public:
    SecretCommand(const std::vector<std::string>& words, const Environment& environment)
        : name_("the command '" + words[0] + "'"), limit_(environment.command_limit) {
        std::error_code code;
        child_ = bp::child(bp::exe = find_program(words[0]),
                           bp::args = std::vector(words.begin() + 1, words.end()),
                           bp::std_in<bp::null, bp::std_out> out_pipe_, bp::std_err > err_pipe_,
                           group_, code, CloseOthers{});
        if (code) cannot_run(code.message());
        close_sink(out_pipe_);
        close_sink(err_pipe_);
    }

    ~SecretCommand() { end(); }
    SecretCommand(const SecretCommand&) = delete;
    SecretCommand& operator=(const SecretCommand&) = delete;

    Secret run() {
        Output out(out_pipe_.native_source(), false);
        Output err(err_pipe_.native_source(), true);
        read_until_end(out, err);
        end();
        const int status = child_.native_exit_code();
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            throw bk::Error(BK_E_CONFIG, name_ + " failed: " + reason(status),
                            shown(err.text, out.text));
        return Secret(out.text);
    }

private:
    [[noreturn]] void cannot_run(const std::string& why) const {
        throw bk::Error(BK_E_CONFIG, name_ + " cannot be run: " + why);
    }

    [[nodiscard]] boost::filesystem::path find_program(const std::string& word) const {
        if (word.find('/') != std::string::npos) return word;
        const boost::filesystem::path found = bp::search_path(word);
        if (found.empty()) cannot_run("it is not in PATH");
        return found;
    }

    static void close_sink(bp::pipe& pipe) {
        ::close(pipe.native_sink());
        pipe.assign_sink(-1);
    }

    static std::string reason(int status) {
        if (WIFSIGNALED(status)) return "killed by signal " + std::to_string(WTERMSIG(status));
        return "exit status " + std::to_string(WEXITSTATUS(status));
    }

    /// Also ends what the program left behind in its process group. Before wait, which gives the
    /// number of the group free for others.
    void end() noexcept {
        std::error_code code;
        if (group_.valid()) group_.terminate(code);
        child_.wait(code);
    }

    /// Returns when the program has ended and the pipes are empty; whether they are closed does not
    /// matter, since a process that it left behind may hold them open.
    void read_until_end(Output& out, Output& err) {
        const ProcessFd process(child_.id());
        const auto deadline = SteadyClock::now() + limit_;
        for (bool ended = false;;) {
            std::array<pollfd, 3> fds{{{out.open ? out.fd : -1, POLLIN, 0},
                                       {err.open ? err.fd : -1, POLLIN, 0},
                                       {ended ? -1 : process.fd, POLLIN, 0}}};
            const auto left =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
            const int wait = ended ? 0 : static_cast<int>(std::max<int64_t>(left.count(), 0));
            const int ready = ::poll(fds.data(), fds.size(), wait);
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0 && ended) return;
            if (ready <= 0 || left.count() <= 0) too_slow();
            if (fds[0].revents != 0) out.read_some();
            if (fds[1].revents != 0) err.read_some();
            if (fds[2].revents != 0) ended = true;
            if (out.overflow)
                throw bk::Error(BK_E_CONFIG, name_ + " printed more than 64 KiB",
                                "a secret is a password or a key");
        }
    }

    [[noreturn]] void too_slow() const {
        throw bk::Error(BK_E_CONFIG,
                        name_ + " did not end within " + format_duration(limit_.count()),
                        "it gets no input: does it wait for some?");
    }

    /// The end of what the program said, in one line, without what it gave away as the secret.
    static std::string shown(std::string said, std::string_view secret) {
        while (secret.ends_with('\n') || secret.ends_with('\r'))
            secret.remove_suffix(1);
        for (size_t at = 0; !secret.empty() && (at = said.find(secret, at)) != std::string::npos;)
            said.replace(at, secret.size(), "***");
        if (said.size() > kErrorTail) said.erase(0, said.size() - kErrorTail);
        for (char& c : said)
            if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
        while (said.ends_with(' '))
            said.pop_back();
        return said.empty() ? "it said nothing on its standard error" : "it said: " + said;
    }

    std::string name_;
    std::chrono::milliseconds limit_;
    bp::pipe out_pipe_, err_pipe_;
    bp::group group_;
    bp::child child_;
};

} // namespace

Secret run_secret_command(const std::vector<std::string>& words, const Environment& environment) {
    return SecretCommand(words, environment).run();
}

} // namespace bkhost
