#include "core/base/text.hpp"
#include "core/driver/dumper.hpp"
#include "host/commands/doctor/checks.hpp"

#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& probed, const char* key) {
    const auto found = probed.find(key);
    return found != probed.end() && found->is_string() ? found->get<std::string>() : "";
}

ProbedSource probe(Session& session, const SourceConfig& source, const std::string& object,
                   DoctorReport& report) {
    Services services(session.log(), session.stop());
    Dumper dumper(object,
                  set_up(session.registry(), kDumper, session.spec(kDumper, source.block), object),
                  services);
    const Json probed = Json::parse(dumper.probe(), nullptr, false);
    if (!probed.is_object())
        throw bk::Error(BK_E_INTERNAL, "its driver tells nothing that can be read",
                        "report it to the driver's author");
    ProbedSource found{text_of(probed, "source_path"), 0};
    if (const auto size = probed.find("size"); size != probed.end() && size->is_number_unsigned())
        found.size = size->get<uint64_t>();
    for (const Json& warning : probed.value("warnings", Json::array()))
        if (warning.is_string())
            report.warn(object, warning.get<std::string>(), "see the README of its driver");
    for (const Warning& warning : services.warnings())
        report.warn(object, warning.object + ": " + warning.text, "see the README of its driver");
    report.ok(object, "answers: " + text_of(probed, "engine") + " " + text_of(probed, "version") +
                          (found.size > 0 ? ", " + format_bytes(found.size) : ""));
    return found;
}

} // namespace

ProbedSources check_sources(Session& session, const DoctorScope& scope, DoctorReport& report) {
    ProbedSources probed;
    for (const SourceConfig& source : scope.sources) {
        const std::string object = "source '" + source.name + "'";
        try {
            probed[source.name] = probe(session, source, object, report);
        } catch (const bk::Error& error) {
            report.fail(object, error);
        }
    }
    return probed;
}

} // namespace bkhost
