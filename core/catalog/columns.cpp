// Lists, locations and owners as JSON texts; see columns.hpp.
#include "core/catalog/columns.hpp"

#include <bkhost/error.hpp>

#include <nlohmann/json.hpp>

namespace bkhost::internal {
namespace {

using nlohmann::json;

/// Runs `read` on the parsed text; what does not parse or fit is damage.
template <class Reader>
void parse(std::string_view what, const std::string& text, Reader&& read) {
    try {
        read(json::parse(text));
    } catch (const json::exception&) {
        throw_damaged(what, text);
    }
}

} // namespace

void throw_damaged(std::string_view what, std::string_view text) {
    throw bk::Error(
        BK_E_CORRUPT,
        "the catalog holds an unreadable " + std::string(what) + ": '" +
            std::string(text.substr(0, 80)) + "'",
        "see what is wrong: bkhost catalog check; make it anew: bkhost catalog rebuild");
}

std::string encode(const std::vector<std::string>& list) {
    return json(list).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string encode(const DriverSpec& location) {
    try {
        return json{{"driver", location.driver}, {"options", location.options}}.dump();
    } catch (const json::exception&) {
        throw bk::Error(BK_E_INVALID,
                        "the options of a storage of driver '" + location.driver +
                            "' are not valid UTF-8",
                        "the catalog could not open it again; use names in UTF-8");
    }
}

std::string encode(const Owner& owner) {
    return json{{"pid", owner.pid},        {"start", owner.start_ticks},
                {"boot", owner.boot_id},   {"pid_namespace", owner.pid_namespace},
                {"host", owner.host_name}, {"uid", owner.uid}}
        .dump(-1, ' ', false, json::error_handler_t::replace);
}

void decode(const Statement& from, int column, std::vector<std::string>& list) {
    parse("list", from.text(column), [&](const json& value) { value.get_to(list); });
}

void decode(const Statement& from, int column, DriverSpec& location) {
    parse("location of a storage", from.text(column), [&](const json& value) {
        value.at("driver").get_to(location.driver);
        value.at("options").get_to(location.options);
    });
}

void decode(const Statement& from, int column, Owner& owner) {
    parse("owner of a lease", from.text(column), [&](const json& value) {
        value.at("pid").get_to(owner.pid);
        value.at("start").get_to(owner.start_ticks);
        value.at("boot").get_to(owner.boot_id);
        value.at("pid_namespace").get_to(owner.pid_namespace);
        value.at("host").get_to(owner.host_name);
        value.at("uid").get_to(owner.uid);
    });
}

} // namespace bkhost::internal
