// The scan, in the child: everything that foreign code may do wrong happens here, where the parent
// sees a crash as an exit status. The parent's side is scanner.cpp.
#include "host/plugins/module_info.hpp"
#include "host/plugins/module_loader.hpp"
#include "host/plugins/plugin_registry.hpp"
#include "host/plugins/scanner.hpp"

#include <bkhost/error.hpp>

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

namespace bkhost {
namespace {

/// Keeps stdout for the answer alone: what the plugin prints goes nowhere. Gives the descriptor.
int take_stdout() {
    const int answer = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (answer < 0) bk::throw_errno(errno, "stdout");
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere < 0 || ::dup2(nowhere, STDOUT_FILENO) < 0) bk::throw_errno(errno, "/dev/null");
    ::close(nowhere);
    return answer;
}

void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::write(fd, text.data(), text.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) bk::throw_errno(errno, "the answer of the scan");
        text.remove_prefix(static_cast<size_t>(put));
    }
}

std::string examine(const char* path) {
    try {
        return module_to_json(describe_module(open_module(path)));
    } catch (const bk::Error& error) {
        const nlohmann::json problem{{"problem", error.message()}, {"hint", error.hint()}};
        return problem.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
}

} // namespace

int scan_main(const char* path) noexcept {
    const bk_status status = bk::guard(nullptr, [&] {
        const rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        const int answer = take_stdout();
        // Tells the parent that what happens from here on is the plugin's doing.
        write_all(answer, kScanGreeting);
        write_all(answer, examine(path));
        return BK_OK;
    });
    return status == BK_OK ? 0 : 1;
}

} // namespace bkhost
