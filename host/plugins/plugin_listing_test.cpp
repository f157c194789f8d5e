#include "host/plugins/plugin_listing.hpp"

#include <bkhost/error.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

DriverDescription driver(const char* kind, const char* name, const char* module) {
    DriverDescription made;
    made.kind = kind;
    made.name = name;
    made.interface_id = "bkhost." + made.kind + "/0";
    made.summary = "the " + made.name + " " + made.kind;
    made.module_id = module;
    made.module_version = "1.0";
    return made;
}

PluginInfo plugin(const char* path, const char* id) {
    PluginInfo made;
    made.path = path;
    made.id = id;
    made.version = "1.0";
    made.abi = "0.1";
    return made;
}

std::vector<PluginInfo> sample() {
    PluginInfo s3 = plugin("/p/s3.so", "org.example.s3");
    s3.license = "MIT";
    s3.drivers = {driver("storage", "s3", "org.example.s3"),
                  driver("encryptor", "age", "org.example.s3")};
    s3.drivers[0].schemes = {"s3", "s3s"};
    s3.drivers[0].options = {
        {"bucket", BK_OPT_STRING, BK_OPT_REQUIRED, false, "", "", "where the objects go"},
        {"part-size", BK_OPT_SIZE, BK_OPT_ADVANCED, true, "8MiB", "5MiB..5GiB", "of an upload"},
        {"key", BK_OPT_SECRET, 0, true, "hush", "", ""}};
    PluginInfo local = plugin("/p/local.so", "org.example.local");
    local.drivers = {driver("storage", "local", "org.example.local"),
                     driver("storage", "s3", "org.example.local")};
    local.shadowed_drivers = {{"storage:s3", "/p/s3.so"}};
    PluginInfo crash = plugin("/p/crash.so", "org.example.crash");
    crash.state = PluginState::broken;
    crash.reason = "crashed \x1b[31mred";
    crash.drivers = {driver("dumper", "crash", "org.example.crash")};
    PluginInfo again = plugin("/q/s3.so", "org.example.s3");
    again.state = PluginState::shadowed;
    again.reason = "comes second";
    PluginInfo rubbish;
    rubbish.path = "/p/rubbish.so";
    rubbish.state = PluginState::broken;
    rubbish.reason = "not an ELF file";
    return {s3, local, crash, again, rubbish};
}

TEST(PluginList, ShowsUsableDriversAndThenWhatIsNotUsed) {
    EXPECT_EQ(plugin_list(sample(), false, ListingForm::text),
              "KIND       DRIVER  SUMMARY            PLUGIN\n"
              "encryptor  age     the age encryptor  org.example.s3 1.0\n"
              "storage    local   the local storage  org.example.local 1.0\n"
              "storage    s3      the s3 storage     org.example.s3 1.0\n"
              "\n"
              "STATE     PLUGIN         REASON\n"
              "shadowed  /p/local.so    storage:s3 comes from '/p/s3.so'\n"
              "broken    /p/crash.so    crashed \\x1b[31mred\n"
              "shadowed  /q/s3.so       comes second\n"
              "broken    /p/rubbish.so  not an ELF file\n");
}

TEST(PluginList, BrokenAlone) {
    EXPECT_EQ(plugin_list(sample(), true, ListingForm::text),
              "STATE   PLUGIN         REASON\n"
              "broken  /p/crash.so    crashed \\x1b[31mred\n"
              "broken  /p/rubbish.so  not an ELF file\n");
    EXPECT_EQ(plugin_list({sample()[0]}, true, ListingForm::text),
              "no plugin is broken or refused\n");
    EXPECT_EQ(plugin_list({}, false, ListingForm::text), "no driver is installed\n");
}

TEST(PluginList, JsonHoldsEverything) {
    const json all = json::parse(plugin_list(sample(), false, ListingForm::json));
    ASSERT_EQ(all["plugins"].size(), 5u);
    const json& s3 = all["plugins"][0];
    EXPECT_EQ(s3["state"], "ok");
    EXPECT_EQ(s3["id"], "org.example.s3");
    EXPECT_EQ(s3["drivers"][0]["schemes"], json::array({"s3", "s3s"}));
    const json& options = s3["drivers"][0]["options"];
    EXPECT_EQ(options[0]["required"], true);
    EXPECT_EQ(options[0]["default"], nullptr);
    EXPECT_EQ(options[1]["type"], "size");
    EXPECT_EQ(options[1]["allowed"], "5MiB..5GiB");
    EXPECT_EQ(options[1]["default"], "8MiB");
    EXPECT_EQ(options[2]["default"], nullptr) << "of a secret";
    EXPECT_EQ(all["plugins"][1]["shadowed_drivers"]["storage:s3"], "/p/s3.so");
    const json broken = json::parse(plugin_list(sample(), true, ListingForm::json));
    ASSERT_EQ(broken["plugins"].size(), 2u);
    EXPECT_EQ(broken["plugins"][0]["reason"], "crashed \x1b[31mred");
}

TEST(PluginShow, ADriverWithTheReferenceOfItsOptions) {
    EXPECT_EQ(plugin_show(sample(), "encryptor:age", ListingForm::text),
              "encryptor driver:  age\n"
              "summary:           the age encryptor\n"
              "interface:         bkhost.encryptor/0\n"
              "plugin:            org.example.s3 1.0\n"
              "file:              /p/s3.so\n");
    const std::string text = plugin_show(sample(), "s3", ListingForm::text);
    EXPECT_THAT(
        text,
        AllOf(HasSubstr("\noptions\nbucket:  string, required\n         where the objects go\n"),
              HasSubstr("\nadvanced options\npart-size:  size, 5MiB..5GiB, default 8MiB\n"),
              HasSubstr("shadowed:        it comes from '/p/s3.so'\n"), Not(HasSubstr("hush"))));
    EXPECT_EQ(plugin_show(sample(), "crash", ListingForm::text).find("\x1b"), std::string::npos);
}

TEST(PluginShow, AModuleByIdAndByPath) {
    const std::string by_path = plugin_show(sample(), "/p/s3.so", ListingForm::text);
    EXPECT_THAT(by_path,
                AllOf(HasSubstr("plugin:   org.example.s3 1.0\n"), HasSubstr("license:  MIT\n"),
                      HasSubstr("storage driver:"), HasSubstr("encryptor driver:")));
    const std::string by_id = plugin_show(sample(), "org.example.s3", ListingForm::text);
    EXPECT_THAT(by_id, AllOf(HasSubstr(by_path), HasSubstr("/q/s3.so"), HasSubstr("comes second")));
    EXPECT_THAT(
        plugin_show(sample(), "/p/rubbish.so", ListingForm::text),
        AllOf(HasSubstr("plugin:  /p/rubbish.so\n"), HasSubstr("reason:  not an ELF file\n")));
}

TEST(PluginShow, JsonHoldsThePluginsOfTheName) {
    const json found = json::parse(plugin_show(sample(), "storage:s3", ListingForm::json));
    ASSERT_EQ(found["plugins"].size(), 2u);
    EXPECT_EQ(found["plugins"][1]["path"], "/p/local.so");
}

TEST(PluginShow, AnUnknownNameNamesTheNearest) {
    try {
        static_cast<void>(plugin_show(sample(), "locla", ListingForm::text));
        FAIL();
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CONFIG);
        EXPECT_EQ(error.message(), "no driver or plugin 'locla' is installed");
        EXPECT_EQ(error.hint(), "did you mean 'local'? see 'bkhost plugin list'");
    }
}

} // namespace
} // namespace bkhost
