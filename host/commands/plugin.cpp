// bkhost plugin list and bkhost plugin show.
#include "host/commands/commands.hpp"
#include "host/commands/output.hpp"
#include "host/plugins/plugin_listing.hpp"
#include "host/render/error_text.hpp"

namespace bkhost {
namespace {
ListingForm form_of(const Session& session) {
    return session.options().json ? ListingForm::json : ListingForm::text;
}
} // namespace

int plugin_list_command(Session& session, bool broken) {
    print(plugin_list(session.registry().plugins(), broken, form_of(session)));
    return kExitDone;
}

int plugin_show_command(Session& session, const std::string& name) {
    print(plugin_show(session.registry().plugins(), name, form_of(session)));
    return kExitDone;
}

} // namespace bkhost
