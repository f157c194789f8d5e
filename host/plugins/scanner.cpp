// The child gets a process group of its own, so that whatever it starts ends with it, and inherits
// no descriptor but the pipe: Boost.Process 1.74 makes its pipes without CLOEXEC, and an inherited
// end would keep somebody else's pipe open.
#include "host/plugins/scanner.hpp"

#include "core/base/clock.hpp"
#include "core/base/text.hpp"

#include <bkhost/error.hpp>

#include <utility> // before asio, which Boost.Process includes

#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/error.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/group.hpp>
#include <boost/process/io.hpp>
#include <boost/process/pipe.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace bkhost {
namespace {

namespace bp = boost::process;

constexpr size_t kMaxAnswer = 4 * 1024 * 1024;

/// In the child, between fork and exec.
struct Isolate : bp::extend::handler {
    template <class Executor>
    void on_exec_setup(Executor&) const {
        ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a host that dies takes its scan along
    }
};

enum class Reading { ended, out_of_time, too_long };

/// All that comes until the end of the file, the deadline or the limit.
Reading read_answer(int fd, int64_t deadline, std::string& answer) {
    std::array<char, 16 * 1024> buffer;
    for (;;) {
        const int64_t left = deadline - Clock::system().monotonic_ms();
        if (left <= 0) return Reading::out_of_time;
        pollfd wait{fd, POLLIN, 0};
        const int ready = ::poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
        if (ready <= 0) continue; // out of time or interrupted: the deadline tells
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return Reading::ended;
        answer.append(buffer.data(), static_cast<size_t>(got));
        if (answer.size() > kMaxAnswer) return Reading::too_long;
    }
}

/// Whether the process ended before the deadline. It is not reaped, so that its number stays its
/// own.
bool ends_in_time(pid_t process, int64_t deadline) {
    // Not through glibc: the header of 2.36 lacks extern "C".
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
    if (handle < 0) bk::throw_errno(errno, "the process of a scan");
    int ready = 0;
    for (int64_t left = 1; ready <= 0 && left > 0;) {
        left = std::max<int64_t>(deadline - Clock::system().monotonic_ms(), 0);
        pollfd wait{handle, POLLIN, 0};
        ready = ::poll(&wait, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    }
    ::close(handle);
    return ready > 0;
}

ScanResult problem(std::string what, bool lasting = true) {
    return {std::nullopt, std::move(what), "", lasting};
}

std::string signal_text(int number) {
    const char* name = ::sigdescr_np(number);
    return "signal " + std::to_string(number) + (name != nullptr ? std::string(", ") + name : "");
}

/// What a child that ended by itself left behind.
ScanResult judge(const std::string& executable, int status, std::string_view answer) {
    if (!answer.starts_with(kScanGreeting))
        return problem("cannot be scanned: '" + executable + "' does not answer to --bk-scan",
                       false);
    answer.remove_prefix(kScanGreeting.size());
    if (WIFSIGNALED(status))
        return problem("crashed when it was scanned (" + signal_text(WTERMSIG(status)) + ")");
    if (WEXITSTATUS(status) != 0)
        return problem("ended the scan with exit code " + std::to_string(WEXITSTATUS(status)));
    if (std::optional<ModuleInfo> module = module_from_json(answer))
        return {std::move(module), "", "", true};
    const auto found = nlohmann::json::parse(answer, nullptr, false);
    if (!found.is_object() || !found.contains("problem"))
        return problem("ended the scan before it answered");
    // May be gone tomorrow with the plugin unchanged, as when a missing library is installed; and
    // to ask again is safe.
    return {std::nullopt, found.value("problem", ""), found.value("hint", ""), false};
}

} // namespace

ScanResult scan_plugin(const std::string& executable, const std::string& path,
                       std::chrono::milliseconds limit) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) bk::throw_errno(errno, "a pipe for the scan of plugins");
    bp::pipe pipe(ends[0], ends[1]);
    bp::group group;
    std::error_code error;
    const int64_t deadline = Clock::system().monotonic_ms() + limit.count();
    bp::child child(bp::exe = executable, bp::args = {"--bk-scan", path},
                    bp::std_in<bp::null, bp::std_out> pipe, bp::std_err > bp::null, group, error,
                    Isolate{});
    if (error) return problem("cannot be scanned: '" + executable + "': " + error.message(), false);

    std::string answer;
    Reading reading = read_answer(pipe.native_source(), deadline, answer);
    if (reading == Reading::ended && !ends_in_time(child.id(), deadline))
        reading = Reading::out_of_time;
    // Also after a regular end: the plugin may have started processes.
    std::error_code ignored;
    group.terminate(ignored);
    child.wait(ignored);
    if (reading == Reading::too_long) return problem("answered the scan with more than 4 MiB");
    if (reading == Reading::out_of_time)
        return problem("did not answer the scan within " + format_duration(limit.count()));
    return judge(executable, child.native_exit_code(), answer);
}

} // namespace bkhost
