#include "core/base/text.hpp"
#include "host/commands/doctor/checks.hpp"

#include <bkhost/transform.h>

#include <algorithm>
#include <set>
#include <unistd.h>

namespace bkhost {
namespace {

bool is_in_path(const std::string& program, const Environment& environment) {
    if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0;
    const std::vector<std::string> folders = split(environment.text("PATH").value_or(""), ':');
    return std::ranges::any_of(folders, [&](const std::string& folder) {
        return ::access((folder + "/" + program).c_str(), X_OK) == 0;
    });
}

/// The program that decodes what the driver writes, by its own word; "" when it names none.
std::string decoder(Session& session, std::string_view kind, const std::string& driver) {
    const bk_component& component = session.registry().load(kind, driver);
    const auto* file =
        component.get_extension == nullptr
            ? nullptr
            : static_cast<const bk_transform_file*>(component.get_extension(BK_TRANSFORM_FILE_ID));
    if (file == nullptr || file->decode_command == nullptr) return "";
    const std::vector<std::string> words = split(file->decode_command, ' ');
    return words.empty() ? "" : words.front();
}

} // namespace

void check_tools(Session& session, const DoctorScope& scope, DoctorReport& report) {
    std::set<std::pair<std::string_view, std::string>> drivers;
    for (const JobConfig& job : scope.jobs) {
        if (job.compress) drivers.emplace(kCompressor, job.compress->driver);
        if (job.encrypt) drivers.emplace(kEncryptor, job.encrypt->driver);
    }
    std::vector<std::string> found;
    for (const auto& [kind, driver] : drivers) {
        try {
            const std::string tool = decoder(session, kind, driver);
            if (tool.empty()) continue;
            if (is_in_path(tool, session.environment()))
                found.push_back(tool);
            else
                report.warn("tools", "'" + tool + "' is not in $PATH",
                            "install it: an archive can be opened without bkhost only with it");
        } catch (const bk::Error& error) {
            report.fail(std::string(kind) + " '" + driver + "'", error);
        }
    }
    if (!found.empty()) report.ok("tools", join(found) + ": archives can be opened without bkhost");
}

} // namespace bkhost
