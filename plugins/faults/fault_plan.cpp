#include "fault_plan.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace faults {

FaultPlan::FaultPlan(bk::Config config, std::span<const Function> functions)
    : log_(config.text("log")) {
    for (std::string& text : config.list("fault")) {
        Counted& counted = faults_.emplace_back();
        counted.fault = parse_fault(text, functions);
        counted.text = std::move(text);
    }
}

FaultPlan& FaultPlan::of(bk::Config config, std::string_view kind,
                         std::span<const Function> functions) {
    static std::mutex mutex; // the counts are the process's
    static std::map<std::string, std::unique_ptr<FaultPlan>> plans;
    std::string name(kind);
    for (const char* key : {"plugin", "driver-name", "options", "fault", "log"})
        for (const std::string& value : config.list(key))
            name += '\n' + std::string(key) + '=' + value;
    const std::lock_guard lock(mutex);
    std::unique_ptr<FaultPlan>& plan = plans[name];
    if (!plan) plan = std::make_unique<FaultPlan>(config, functions);
    return *plan;
}

std::vector<const Fault*> FaultPlan::call(const Call& call) {
    std::vector<const Fault*> due;
    std::string texts;
    for (Counted& counted : faults_) {
        if (counted.fault.function != call.function ||
            call.key.find(counted.fault.key) == std::string_view::npos)
            continue;
        const uint64_t now = ++counted.calls;
        if (now < counted.fault.first || now > counted.fault.last) continue;
        due.push_back(&counted.fault);
        texts += (texts.empty() ? "" : " ") + counted.text;
    }
    log_.add(call, texts);
    return due;
}

bool FaultPlan::loses(std::string_view function) const noexcept {
    for (const Counted& counted : faults_)
        if (counted.fault.function == function &&
            (counted.fault.action == Action::shorten || counted.fault.action == Action::drop))
            return true;
    return false;
}

} // namespace faults
