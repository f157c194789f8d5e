#include "host/commands/doctor/report.hpp"

#include "host/render/terminal_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace bkhost {
namespace {

const char* name_of(Health health) {
    switch (health) {
    case Health::ok: return "ok";
    case Health::warn: return "warn";
    case Health::fail: return "fail";
    }
    return "";
}

/// "source 'shop': " of a driver's message says what the line's object says already.
std::string without_object(const std::string& text, const std::string& object) {
    return text.starts_with(object + ": ") ? text.substr(object.size() + 2) : text;
}

} // namespace

void DoctorReport::ok(const std::string& object, const std::string& text) {
    findings_.push_back({Health::ok, object, text, ""});
}

void DoctorReport::warn(const std::string& object, const std::string& text,
                        const std::string& next) {
    findings_.push_back({Health::warn, object, without_object(text, object), next});
}

void DoctorReport::fail(const std::string& object, const std::string& text,
                        const std::string& next) {
    findings_.push_back({Health::fail, object, without_object(text, object), next});
}

void DoctorReport::fail(const std::string& object, const bk::Error& error) {
    if (error.cancelled()) throw error;
    fail(object, error.message(),
         error.hint().empty() ? "run it again with -v to see more" : error.hint());
}

size_t DoctorReport::count(Health health) const {
    return static_cast<size_t>(std::ranges::count(findings_, health, &Finding::health));
}

std::string DoctorReport::text() const {
    std::string out;
    for (const Finding& finding : findings_) {
        std::string head = name_of(finding.health);
        head.resize(6, ' ');
        out += head + escape_lines(finding.object + ": " + finding.text, "      ") + "\n";
        if (!finding.next.empty())
            out += "      next: " + escape_lines(finding.next, "      ") + "\n";
    }
    return out;
}

std::string DoctorReport::json() const {
    using Json = nlohmann::ordered_json;
    Json list = Json::array();
    for (const Finding& finding : findings_)
        list.push_back({{"health", name_of(finding.health)},
                        {"object", finding.object},
                        {"text", finding.text},
                        {"next", finding.next.empty() ? Json(nullptr) : Json(finding.next)}});
    return Json{{"findings", std::move(list)},
                {"ok", count(Health::ok)},
                {"warn", count(Health::warn)},
                {"fail", count(Health::fail)}}
        .dump(1, ' ', false, Json::error_handler_t::replace);
}

} // namespace bkhost
