// bkhost: the executable. Everything that ends a command ends here, as one message and a status.
#include "host/command_line.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"
#include "host/signals.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string_view>
#include <unistd.h>

namespace {

std::atomic<bool> main_ended{false};

/// A driver, or a library that it uses, called exit(): whatever status it gave, the work is not
/// done.
void refuse_exit() {
    if (main_ended) return;
    constexpr std::string_view text =
        "bkhost: a driver ended the process in the middle of the work\n"
        "  hint: the next start looks after what is left; tell the driver's author\n";
    (void)!::write(STDERR_FILENO, text.data(), text.size());
    ::_exit(bkhost::kExitFailed);
}

/// While one lives, exit() is a failure.
struct InMain {
    InMain() { std::atexit(refuse_exit); }
    ~InMain() { main_ended = true; }
};

int report(const bk::Error& error, bool json, int signal) {
    std::cerr << bkhost::format_error(error);
    if (json) std::cout << bkhost::format_error_json(error) << std::endl;
    return bkhost::exit_code(error, {.command_line = false, .signal = signal});
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--bk-scan") == 0) return bkhost::scan_main(argv[2]);
    const InMain in_main;
    int status = bkhost::kExitDone;
    std::optional<bkhost::Invocation> invocation = bkhost::parse_command_line(argc, argv, status);
    if (!invocation) return status;
    const bool json = invocation->globals.json;
    try {
        bkhost::SignalWatch signals;
        try {
            bkhost::Session session(invocation->globals, signals.token());
            return invocation->run(session);
        } catch (const bk::Error& error) {
            return report(error, json, signals.signal());
        }
    } catch (const std::exception& error) {
        return report(bk::Error(BK_E_INTERNAL, error.what()), json, 0);
    }
}
