#include "host/plugins/plugin_registry.hpp"

#include "core/base/digest.hpp"
#include "host/plugins/testdata/plugin_dir.hpp"

#include <bkhost/error.hpp>
#include <bkhost/sanitizer.h>

#include <gmock/gmock.h>

#include <functional>
#include <future>
#include <unistd.h>

namespace bkhost {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::chrono_literals;

struct Registered : testing::Test {
    test::TempDir dir;
    test::MemoryLog log;
    const std::string first = dir.make("first");
    const std::string second = dir.make("second");

    PluginSearch search(std::string scanner = BKHOST_TEST_SCANNER) {
        return {.cli_dirs = {first, second},
                .scan_executable = std::move(scanner),
                .log = log,
                .privileged = false,
                .user_dir = "",
                .system_dir = "",
                .build_tree_dir = "",
                .cache_file = dir / "cache/plugins-0.json",
                .scan_limit = 60s};
    }
    /// Of the plugins that a new registry sees, those states and paths.
    std::vector<std::string> states(PluginSearch how) {
        std::vector<std::string> all;
        for (const PluginInfo& info : PluginRegistry(std::move(how)).plugins())
            all.push_back(test::fs::path(info.path).lexically_relative(dir.path()).string() + " " +
                          plugin_state_name(info.state));
        return all;
    }
};

/// What a call throws, as "message | hint".
std::string failure(const std::function<void()>& call, bk_status status = BK_E_CONFIG) {
    try {
        call();
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), status) << error.message();
        return error.message() + " | " + error.hint();
    }
    return "no error";
}

TEST_F(Registered, DescribesADriverWithoutLoadingIt) {
    const std::string path = test::install("test_good", first);
    PluginRegistry registry(search());
    const DriverDescription& driver = registry.describe("sanitizer", "good");
    EXPECT_EQ(driver.kind, "sanitizer");
    EXPECT_EQ(driver.name, "good");
    EXPECT_EQ(driver.interface_id, "bkhost.sanitizer/0");
    EXPECT_EQ(driver.summary, "masks nothing");
    EXPECT_THAT(driver.schemes, ElementsAre("good", "fine"));
    EXPECT_EQ(driver.options.size(), 2u);
    EXPECT_EQ(driver.module_id, "org.bkhost.test.good");
    EXPECT_EQ(driver.module_version, "1.2.3");
    EXPECT_EQ(driver.plugin_path, path);
    EXPECT_THAT(registry.names("sanitizer"), ElementsAre("good", "other"));
    EXPECT_THAT(registry.names("storage"), ElementsAre());
    EXPECT_EQ(&registry.describe("sanitizer", "good"), &driver);
    EXPECT_EQ(registry.find_scheme("sanitizer", "FINE"), &driver);
    EXPECT_EQ(registry.find_scheme("storage", "fine"), nullptr);
    EXPECT_EQ(registry.find_scheme("sanitizer", "other"), nullptr);
    EXPECT_THAT(test::read_file("/proc/self/maps"), testing::Not(HasSubstr(path)));
}

TEST_F(Registered, NamesAreReadWithoutScanning) {
    test::install("test_good", first);
    test::install("test_crash", first);
    PluginRegistry registry(search("/nonexistent"));
    EXPECT_THAT(registry.names("sanitizer"), ElementsAre("crash", "good", "other"));
    EXPECT_EQ(registry.find_scheme("sanitizer", "nothing"), nullptr);
}

TEST_F(Registered, LoadsInitialisesOnceAndFinishesAtShutdown) {
    test::install("test_good", first);
    PluginRegistry registry(search());
    EXPECT_EQ(log.text().find("init"), std::string::npos);
    const bk_component& driver = registry.load("sanitizer", "good");
    EXPECT_STREQ(driver.name, "good");
    EXPECT_NE(static_cast<const bk_sanitizer*>(driver.vtable)->create, nullptr);
    EXPECT_STREQ(registry.load("sanitizer", "other").name, "other");
    const std::string text = log.text();
    EXPECT_NE(text.find("org.bkhost.test.good: init"), std::string::npos);
    EXPECT_EQ(text.find("init"), text.rfind("init"));
    log.clear();
    registry.shutdown();
    registry.shutdown();
    EXPECT_EQ(log.text(), "org.bkhost.test.good: fini\n");
    EXPECT_STREQ(driver.name, "good") << "the module stays mapped";
    EXPECT_THAT(
        failure([&] { static_cast<void>(registry.load("sanitizer", "good")); }, BK_E_INVALID),
        HasSubstr("after the shutdown"));
}

TEST_F(Registered, IsSafeFromManyThreads) {
    test::install("test_good", first);
    PluginRegistry registry(search());
    std::vector<std::future<const bk_component*>> loads;
    for (int i = 0; i < 8; ++i)
        loads.push_back(std::async(std::launch::async, [&, i] {
            static_cast<void>(registry.names("sanitizer"));
            return &registry.load("sanitizer", i % 2 == 0 ? "good" : "other");
        }));
    for (size_t i = 0; i < loads.size(); ++i)
        EXPECT_STREQ(loads[i].get()->name, i % 2 == 0 ? "good" : "other");
    const std::string text = log.text();
    EXPECT_EQ(text.find(": init"), text.rfind(": init"));
}

TEST_F(Registered, AnUnknownDriverNamesTheNearestAndWhereWasSearched) {
    test::install("test_good", first);
    PluginRegistry registry(search());
    EXPECT_EQ(failure([&] { static_cast<void>(registry.describe("sanitizer", "goud")); }),
              "no sanitizer driver 'goud' is installed | did you mean 'good'? searched: " + first +
                  ", " + second + "; see 'bkhost plugin list'");
    test::write_file(first + "/damaged.so", "rubbish");
    PluginRegistry another(search());
    EXPECT_THAT(failure([&] { static_cast<void>(another.load("storage", "s3")); }),
                AllOf(HasSubstr("no storage driver 's3' is installed | searched"),
                      HasSubstr("'bkhost plugin list --broken'")));
}

TEST_F(Registered, AMissingDirectoryOfTheCommandLineIsAnError) {
    PluginSearch how = search();
    how.cli_dirs.push_back(dir / "absent");
    EXPECT_THAT(failure([&] { PluginRegistry registry(how); }),
                HasSubstr("'" + dir / "absent" + "' (--plugin-dir) does not exist"));
    how.cli_dirs.pop_back();
    how.config_dirs = {dir / "absent"};
    how.user_dir = how.system_dir = dir / "missing";
    EXPECT_TRUE(PluginRegistry(how).plugins().empty());
}

TEST_F(Registered, TheFirstWithAModuleIdWinsAndFilesAreSorted) {
    test::install("test_good", first, "b");
    test::install("test_good", first, "a");
    test::install("test_good", second);
    test::install("test_prints", second);
    EXPECT_THAT(states(search()),
                ElementsAre("first/a.so ok", "first/b.so shadowed", "second/test_good.so shadowed",
                            "second/test_prints.so ok"));
    PluginRegistry registry(search());
    EXPECT_EQ(registry.describe("sanitizer", "good").plugin_path, first + "/a.so");
    EXPECT_THAT(registry.plugins()[1].reason,
                AllOf(HasSubstr(first + "/a.so"), HasSubstr("org.bkhost.test.good")));
}

TEST_F(Registered, EnvironmentAndUserDirectoriesAreIgnoredWhenPrivileged) {
    test::install("test_good", first);
    test::install("test_prints", second);
    ::setenv("BKHOST_PLUGIN_PATH", first.c_str(), 1);
    PluginSearch how = search();
    how.cli_dirs.clear();
    how.user_dir = second;
    EXPECT_THAT(states(how), ElementsAre("first/test_good.so ok", "second/test_prints.so ok"));
    ASSERT_TRUE(test::fs::exists(how.cache_file));
    test::fs::remove(how.cache_file);
    how.privileged = true;
    EXPECT_THAT(states(how), ElementsAre());
    how.config_dirs = {first};
    if (::geteuid() == 0) {
        EXPECT_THAT(states(how), ElementsAre("first/test_good.so ok"));
        EXPECT_FALSE(test::fs::exists(how.cache_file)) << "the caller's cache is not used";
    }
    ::unsetenv("BKHOST_PLUGIN_PATH");
}

/// The good plugin with another module id, in note and code. The end of the id stays: the linker
/// lets the driver's name share its bytes.
void install_renamed(const std::string& to) {
    std::string bytes = test::read_file(test::built_plugin("test_good"));
    const std::string from_id = "org.bkhost.test.good";
    for (size_t at = bytes.find(from_id); at != std::string::npos; at = bytes.find(from_id, at + 1))
        bytes.replace(at, from_id.size(), "org.bkhost.copy.good");
    test::write_file(to, bytes);
}

TEST_F(Registered, ADriverOfTwoModulesBelongsToTheFirst) {
    test::install("test_good", first);
    install_renamed(second + "/copy.so");
    PluginRegistry registry(search());
    EXPECT_EQ(registry.describe("sanitizer", "good").module_id, "org.bkhost.test.good");
    EXPECT_EQ(registry.find_scheme("sanitizer", "good")->module_id, "org.bkhost.test.good");
    const auto plugins = registry.plugins();
    ASSERT_EQ(plugins.size(), 2u);
    EXPECT_EQ(plugins[1].state, PluginState::ok) << plugins[1].reason;
    EXPECT_EQ(plugins[1].id, "org.bkhost.copy.good");
    EXPECT_THAT(plugins[1].shadowed_drivers,
                ElementsAre(testing::Pair("sanitizer:good", first + "/test_good.so"),
                            testing::Pair("sanitizer:other", first + "/test_good.so")));
}

TEST_F(Registered, FilesThatAreNoPluginsAreLeftOutAndDamagedOnesAreShown) {
    test::install("test_good", first);
    test::write_file(first + "/notes.txt", "not looked at");
    test::write_file(first + "/damaged.so", "rubbish");
    dir.make("first/directory.so");
    test::fs::create_symlink(dir / "absent", first + "/dangling.so");
    test::fs::create_symlink(test::install("test_prints", second, "target"), first + "/link.so");
    std::string bytes = test::read_file(test::built_plugin("test_good"));
    const std::string name("bkhost\0", 8);
    for (size_t at = bytes.find(name); at != std::string::npos; at = bytes.find(name))
        bytes[at] = 'x';
    test::write_file(first + "/library.so", bytes);
    EXPECT_THAT(states(search()), ElementsAre("first/damaged.so broken", "first/dangling.so broken",
                                              "first/link.so ok", "first/test_good.so ok",
                                              "second/target.so shadowed"));
}

TEST_F(Registered, ARefusedPluginKeepsItsDriversFromLaterOnes) {
    const std::string path = test::install("test_good", first);
    install_renamed(second + "/copy.so");
    ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
    PluginRegistry registry(search());
    EXPECT_THAT(failure([&] { static_cast<void>(registry.load("sanitizer", "good")); }),
                AllOf(HasSubstr("sanitizer driver 'good' cannot be used: plugin '" + path +
                                "' is refused: it may be written to by others"),
                      HasSubstr("chmod")));
    EXPECT_THAT(registry.names("sanitizer"), ElementsAre());
    const auto plugins = registry.plugins();
    EXPECT_EQ(plugins[0].drivers.size(), 2u) << "known from the note";
}

TEST_F(Registered, AnotherAbiIsRefusedAndDoesNotTakeTheId) {
    std::string bytes = test::read_file(test::built_plugin("test_good"));
    const std::string head("bkhost\0", 8);
    for (size_t at = bytes.find(head); at != std::string::npos; at = bytes.find(head, at + 1))
        if (bytes.compare(at + 16, 3, "org") == 0) bytes[at + 8] = 7;
    test::write_file(first + "/new.so", bytes);
    test::install("test_good", second);
    EXPECT_THAT(states(search()), ElementsAre("first/new.so refused", "second/test_good.so ok"));
    EXPECT_THAT(PluginRegistry(search()).plugins()[0].reason, HasSubstr("ABI major 7"));
}

TEST_F(Registered, BadPluginsAreBrokenWithTheReason) {
    const std::pair<const char*, const char*> cases[] = {
        {"crash", "crashed when it was scanned"},
        {"mismatch", "its note and its code list different drivers"},
        {"missing_slot", "the required function 'suggest' is not set"},
        {"no_entry", "does not export bk_module_v0"},
        {"other_entry", "ABI major 1"},
        {"quits", "ended the scan"}};
    for (const auto& [name, reason] : cases)
        test::install("test_" + std::string(name), first);
    const auto plugins = PluginRegistry(search()).plugins();
    ASSERT_EQ(plugins.size(), std::size(cases));
    for (size_t i = 0; i < plugins.size(); ++i) {
        EXPECT_EQ(plugins[i].state, PluginState::broken) << plugins[i].path;
        EXPECT_THAT(plugins[i].reason, HasSubstr(cases[i].second));
    }
    PluginRegistry registry(search());
    EXPECT_THAT(failure([&] { static_cast<void>(registry.describe("sanitizer", "promised")); }),
                HasSubstr("is broken: its note and its code list different drivers"));
}

TEST_F(Registered, AWarmCacheStartsNoChild) {
    test::install("test_good", first);
    EXPECT_THAT(states(search()), ElementsAre("first/test_good.so ok"));
    EXPECT_THAT(states(search("/nonexistent")), ElementsAre("first/test_good.so ok"));
    PluginRegistry registry(search("/nonexistent"));
    EXPECT_EQ(registry.describe("sanitizer", "good").options.size(), 2u);
    EXPECT_STREQ(registry.load("sanitizer", "good").name, "good");
}

TEST_F(Registered, AChangedFileIsScannedAgain) {
    const std::string path = test::install("test_good", first);
    EXPECT_THAT(states(search()), ElementsAre("first/test_good.so ok"));
    const auto time = test::fs::last_write_time(path);
    test::fs::last_write_time(path, time + 1s);
    const auto plugins = PluginRegistry(search("/nonexistent")).plugins();
    EXPECT_THAT(plugins[0].reason, HasSubstr("cannot be scanned: '/nonexistent'"));
    EXPECT_THAT(states(search()), ElementsAre("first/test_good.so ok"))
        << "that was not remembered";
}

TEST_F(Registered, ACrashIsRememberedUntilTheFileChanges) {
    const std::string path = test::install("test_crash", first);
    static_cast<void>(PluginRegistry(search()).plugins());
    const auto plugins = PluginRegistry(search("/nonexistent")).plugins();
    EXPECT_THAT(plugins[0].reason, HasSubstr("crashed when it was scanned"));
    PluginRegistry registry(search("/nonexistent"));
    EXPECT_THAT(failure([&] { static_cast<void>(registry.load("sanitizer", "crash")); }),
                HasSubstr("to ask again, delete '" + search().cache_file + "'"));
    test::fs::remove(path);
    test::install("test_prints", first, "test_crash");
    EXPECT_THAT(states(search()), ElementsAre("first/test_crash.so ok"));
}

TEST_F(Registered, AFileThatChangesAfterItWasFoundIsNotLoaded) {
    const std::string path = test::install("test_good", first);
    PluginRegistry registry(search());
    static_cast<void>(registry.describe("sanitizer", "good"));
    test::fs::remove(path);
    test::install("test_crash", first, "test_good");
    EXPECT_THAT(failure([&] { static_cast<void>(registry.load("sanitizer", "good")); }),
                HasSubstr("was changed meanwhile"));
}

TEST_F(Registered, AFileThatLosesItsTrustAfterItWasFoundIsNotLoaded) {
    const std::string path = test::install("test_good", first);
    PluginRegistry registry(search());
    static_cast<void>(registry.describe("sanitizer", "good"));
    ASSERT_EQ(::chmod(first.c_str(), 0777), 0);
    EXPECT_THAT(failure([&] { static_cast<void>(registry.load("sanitizer", "good")); }),
                HasSubstr("may be written to by others"));
}

TEST_F(Registered, KindsAndRevisionsOfOtherHostsAreListedAndNotUsed) {
    test::install("test_other_kind", first);
    PluginRegistry registry(search());
    const auto plugins = registry.plugins();
    ASSERT_EQ(plugins.size(), 1u);
    EXPECT_EQ(plugins[0].state, PluginState::ok) << plugins[0].reason;
    EXPECT_THAT(registry.names("notifier"), ElementsAre("mail"));
    EXPECT_THAT(failure([&] { static_cast<void>(registry.describe("notifier", "mail")); }),
                HasSubstr("'bkhost.notifier/3', which this host does not know"));
    EXPECT_THAT(failure([&] { static_cast<void>(registry.load("sanitizer", "later")); }),
                AllOf(HasSubstr("'bkhost.sanitizer/7'"), HasSubstr("'bkhost.sanitizer/0'")));
}

TEST_F(Registered, AFailedInitIsReportedAndNotRepeated) {
    const std::string path = test::install("test_other_kind", first);
    PluginRegistry registry(search());
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(failure([&] { static_cast<void>(registry.load("sanitizer", "no-init")); },
                          BK_E_UNAVAILABLE),
                  "plugin '" + path + "': no licence server | start it");
}

TEST_F(Registered, PluginsLockIsKept) {
    const std::string path = test::install("test_good", first);
    test::write_file(first + "/plugins.lock",
                     sha256_hex(as_bytes(test::read_file(path))) + "  test_good.so\n");
    test::install("test_prints", first);
    EXPECT_THAT(states(search()),
                ElementsAre("first/test_good.so ok", "first/test_prints.so refused"));
    test::write_file(path, test::read_file(path) + "x");
    EXPECT_THAT(states(search()),
                ElementsAre("first/test_good.so refused", "first/test_prints.so refused"));
}

} // namespace
} // namespace bkhost
