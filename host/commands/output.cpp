#include "host/commands/output.hpp"

#include <bkhost/error.hpp>

#include <unistd.h>

namespace bkhost {

void print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) bk::throw_errno(errno, "cannot write to standard output");
        text.remove_prefix(static_cast<size_t>(n));
    }
}

} // namespace bkhost
