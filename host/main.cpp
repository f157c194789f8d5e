// bkhost: the executable. Everything that ends a command ends here, as one message and a status.
#include "host/command_line.hpp"
#include "host/commands/output.hpp"
#include "host/render/error_text.hpp"
#include "host/signals.hpp"

#include <cstring>
#include <iostream>

namespace {

int report(const bk::Error& error, bool json, int signal) {
    std::cerr << bkhost::format_error(error);
    if (json) std::cout << bkhost::format_error_json(error) << std::endl;
    return bkhost::exit_code(error, {.command_line = false, .signal = signal});
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--bk-scan") == 0) return bkhost::scan_main(argv[2]);
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
