#include "call_log.hpp"

#include <bkhost/error.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace faults {

CallLog::CallLog(const std::string& path) {
    if (path.empty()) return;
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file_ < 0) bk::throw_errno(errno, "cannot open the log '" + path + "'");
}

CallLog::~CallLog() {
    if (file_ >= 0) ::close(file_);
}

void CallLog::add(const Call& call, std::string_view faults) const {
    if (file_ < 0) return;
    std::string line(call.function);
    line += '\t';
    line += call.key.empty() ? "-" : call.key;
    line += '\t' + std::to_string(call.offset) + '\t' + std::to_string(call.bytes) + '\t';
    line += faults.empty() ? "-" : faults;
    line += '\n';
    const ssize_t written = ::write(file_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size()))
        bk::throw_errno(written < 0 ? errno : ENOSPC, "cannot write the log of the calls");
}

} // namespace faults
