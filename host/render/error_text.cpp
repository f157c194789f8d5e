#include "host/render/error_text.hpp"

#include "host/render/terminal_text.hpp"

#include <nlohmann/json.hpp>

namespace bkhost {

std::string format_error(const bk::Error& error) {
    std::string text = "bkhost: " + escape_lines(error.message()) + "\n";
    if (!error.hint().empty()) text += "  hint: " + escape_lines(error.hint(), "    ") + "\n";
    return text;
}

std::string format_error_json(const bk::Error& error) {
    const nlohmann::ordered_json object{{"error",
                                         {{"status", bk::status_name(error.status())},
                                          {"message", error.message()},
                                          {"hint", error.hint()}}}};
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int exit_code(const bk::Error& error, ExitContext context) {
    switch (error.status()) {
    case BK_E_CONFIG: return kExitUsage;
    case BK_E_INVALID: return context.command_line ? kExitUsage : kExitFailed;
    case BK_E_BUSY: return kExitBusy;
    case BK_E_CANCELLED: return context.signal > 0 ? 128 + context.signal : kExitInterrupted;
    default: return kExitFailed;
    }
}

} // namespace bkhost
