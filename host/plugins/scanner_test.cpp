// The scan of good and bad plugins in a child, and the memory of it.
#include "host/plugins/scanner.hpp"

#include "host/plugins/scan_cache.hpp"
#include "host/plugins/testdata/plugin_dir.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <chrono>
#include <thread>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

ScanResult scan(const std::string& plugin, std::chrono::milliseconds limit = 60s) {
    return scan_plugin(BKHOST_TEST_SCANNER, test::built_plugin(plugin), limit);
}

/// Whether any process was started with that argument.
bool runs_with(const std::string& argument) {
    for (const auto& process : test::fs::directory_iterator("/proc"))
        if (test::read_file(process.path().string() + "/cmdline").find(argument) !=
            std::string::npos)
            return true;
    return false;
}

TEST(Scanner, TellsEverythingOfAGoodPlugin) {
    const ScanResult result = scan("test_good");
    ASSERT_TRUE(result.module) << result.problem;
    EXPECT_TRUE(result.lasting);
    EXPECT_EQ(result.module->id, "org.bkhost.test.good");
    EXPECT_EQ(result.module->version, "1.2.3");
    EXPECT_EQ(result.module->license, "MIT");
    ASSERT_EQ(result.module->drivers.size(), 2u);
    const DriverInfo& driver = result.module->drivers[0];
    EXPECT_EQ(driver.name, "good");
    EXPECT_EQ(driver.interface_id, "bkhost.sanitizer/0");
    EXPECT_THAT(driver.schemes, testing::ElementsAre("good", "fine"));
    ASSERT_EQ(driver.options.size(), 2u);
    EXPECT_EQ(driver.options[0].key, "level");
    EXPECT_EQ(driver.options[0].type, uint32_t{BK_OPT_INT});
    EXPECT_TRUE(driver.options[0].has_default);
    EXPECT_EQ(driver.options[0].default_value, "3");
    EXPECT_EQ(driver.options[0].allowed, "1..9");
    EXPECT_FALSE(driver.options[1].has_default);
    EXPECT_EQ(driver.options[1].flags, uint32_t{BK_OPT_REQUIRED});
}

TEST(Scanner, WhatAPluginPrintsDoesNotGetIntoTheAnswer) {
    const ScanResult result = scan("test_prints");
    EXPECT_TRUE(result.module) << result.problem;
}

TEST(Scanner, ACrashIsAProblemOfThePluginThatLasts) {
    const ScanResult result = scan("test_crash");
    EXPECT_FALSE(result.module);
    EXPECT_THAT(result.problem, HasSubstr("crashed when it was scanned (signal 6, Aborted)"));
    EXPECT_TRUE(result.lasting);
}

TEST(Scanner, AnExitIsAProblemOfThePlugin) {
    const ScanResult result = scan("test_quits");
    EXPECT_THAT(result.problem, HasSubstr("ended the scan before it answered"));
    EXPECT_TRUE(result.lasting);
}

TEST(Scanner, OneThatHangsIsEndedWithAllItStarted) {
    const test::TempDir dir;
    const std::string plugin = test::install("test_hang", dir.path());
    const ScanResult result = scan_plugin(BKHOST_TEST_SCANNER, plugin, 700ms);
    EXPECT_THAT(result.problem, HasSubstr("did not answer the scan within 700ms"));
    EXPECT_TRUE(result.lasting);
    // A signal takes its time to end a process.
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (runs_with(plugin) && std::chrono::steady_clock::now() < deadline)
        std::this_thread::yield();
    EXPECT_FALSE(runs_with(plugin));
}

TEST(Scanner, CleanProblemsSayWhatIsWrongAndAreAskedAgain) {
    const std::pair<const char*, const char*> cases[] = {
        {"test_no_entry", "does not export bk_module_v0"},
        {"test_other_entry", "made for plugin ABI major 1, and this host has 0"},
        {"test_missing_slot", "driver 'missing-slot': the required function 'suggest' is not set"},
        {"test_absent", "cannot be loaded"}};
    for (const auto& [plugin, problem] : cases) {
        const ScanResult result = scan(plugin);
        EXPECT_THAT(result.problem, HasSubstr(problem));
        EXPECT_FALSE(result.hint.empty()) << plugin;
        EXPECT_FALSE(result.lasting) << plugin;
    }
}

TEST(Scanner, AProgramThatCannotScanIsNotThePluginsFault) {
    const std::string plugin = test::built_plugin("test_good");
    const ScanResult absent = scan_plugin("/nonexistent/bkhost", plugin, 60s);
    EXPECT_THAT(absent.problem, HasSubstr("'/nonexistent/bkhost'"));
    EXPECT_FALSE(absent.lasting);
    const ScanResult other = scan_plugin("/bin/echo", plugin, 60s);
    EXPECT_THAT(other.problem, HasSubstr("does not answer to --bk-scan"));
    EXPECT_FALSE(other.lasting);
}

TEST(ModuleInfo, DisagreementNamesWhatDiffers) {
    PluginNote note{0, 1, 8, "a.b", "1", {{"storage", "x", {"p", "q"}}, {"storage", "y", {}}}};
    ModuleInfo module;
    module.abi_minor = 1;
    module.id = "a.b";
    module.version = "1";
    module.drivers = {{"y", "bkhost.storage/0", "", {}, {}},
                      {"x", "bkhost.storage/0", "", {"q", "p"}, {}}};
    EXPECT_EQ(disagreement(note, module), "");
    module.abi_minor = 2;
    EXPECT_EQ(disagreement(note, module), "its note says ABI '0.1', its code '0.2'");
    module.abi_minor = 1;
    module.id = "a.c";
    EXPECT_THAT(disagreement(note, module), HasSubstr("module id 'a.b', its code 'a.c'"));
    module.id = "a.b";
    module.version = "2";
    EXPECT_THAT(disagreement(note, module), HasSubstr("version '1', its code '2'"));
    module.version = "1";
    module.drivers[0].interface_id = "bkhost.dumper/0";
    EXPECT_THAT(disagreement(note, module), HasSubstr("different drivers"));
    module.drivers[0].interface_id = "bkhost.storage/0";
    module.drivers[1].schemes = {"p"};
    EXPECT_THAT(disagreement(note, module), HasSubstr("different drivers"));
}

TEST(ModuleInfo, BytesThatAreNotUtf8AreReplacedInJson) {
    ModuleInfo module;
    module.summary = "caf\xe9";
    const auto back = module_from_json(module_to_json(module));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->summary, "caf\xef\xbf\xbd");
    EXPECT_FALSE(module_from_json("{}"));
    EXPECT_FALSE(module_from_json("rubbish"));
}

struct ScanCacheTest : testing::Test {
    test::TempDir dir;
    test::MemoryLog log;
    const std::string file = dir / "sub/plugins-0.json";
    const std::string plugin = test::install("test_good", dir.path());
    const FileId id{1, 2, 3, 4};

    ScanResult good() const {
        ScanResult result;
        result.module.emplace();
        result.module->id = "a.b";
        return result;
    }
    /// A cache file with one entry.
    void fill() {
        ScanCache cache(file, log);
        cache.put(plugin, id, good());
        cache.save();
    }
    bool known(FileId wanted) { return ScanCache(file, log).find(plugin, wanted).has_value(); }
};

TEST_F(ScanCacheTest, RemembersByPathAndIdentity) {
    fill();
    const auto found = ScanCache(file, log).find(plugin, id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->module->id, "a.b");
    EXPECT_FALSE(ScanCache(file, log).find(plugin + "x", id));
    EXPECT_FALSE(known({9, 2, 3, 4}));
    EXPECT_FALSE(known({1, 9, 3, 4}));
    EXPECT_FALSE(known({1, 2, 9, 4}));
    EXPECT_FALSE(known({1, 2, 3, 9}));
    struct stat status {};
    ASSERT_EQ(::stat(file.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(std::distance(test::fs::directory_iterator(dir / "sub"), {}), 1)
        << "a temporary file stays";
}

TEST_F(ScanCacheTest, RemembersProblemsThatLastAndNoOthers) {
    ScanCache cache(file, log);
    cache.put(plugin, id, {std::nullopt, "crashed", "", true});
    cache.save();
    EXPECT_EQ(ScanCache(file, log).find(plugin, id)->problem, "crashed");
    cache.put(plugin, {7, 7, 7, 7}, {std::nullopt, "busy", "", false});
    EXPECT_FALSE(cache.find(plugin, {7, 7, 7, 7}));
}

TEST_F(ScanCacheTest, ForgetsFilesThatAreGone) {
    fill();
    test::fs::remove(plugin);
    ScanCache cache(file, log);
    cache.put(dir.path(), id, good());
    cache.save();
    EXPECT_FALSE(known(id));
}

TEST_F(ScanCacheTest, ADamagedFileIsIgnoredWithADebugMessage) {
    fill();
    const std::string text = test::read_file(file);
    for (size_t size = 1; size < text.size() - 1; size += 7) {
        test::write_file(file, text.substr(0, size));
        EXPECT_FALSE(known(id));
    }
    EXPECT_THAT(log.text(), HasSubstr("is damaged"));
    for (const char* wrong : {"[]", "{\"format\":1}", "{\"format\":2}", "null",
                              "{\"format\":1,\"abi\":\"0.1\",\"plugins\":{\"x\":{}}}"}) {
        test::write_file(file, wrong);
        EXPECT_FALSE(known(id)) << wrong;
    }
    fill(); // and is replaced
    EXPECT_TRUE(known(id));
}

TEST_F(ScanCacheTest, AFileThatOthersCouldHaveWrittenIsNotBelieved) {
    fill();
    ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
    EXPECT_FALSE(known(id));
    EXPECT_THAT(log.text(), HasSubstr("not a file of this user alone"));
    if (::geteuid() != 0) return;
    ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
    ASSERT_EQ(::chown(file.c_str(), 12345, 0), 0);
    EXPECT_FALSE(known(id));
}

TEST_F(ScanCacheTest, OneThatCannotBeWrittenIsNoError) {
    test::write_file(dir / "sub", "a file where the directory should be");
    fill();
    EXPECT_THAT(log.text(), HasSubstr("is not written"));
    if (::geteuid() != 0) return;
    test::fs::remove(dir / "sub");
    ASSERT_EQ(::chown(dir.make("sub").c_str(), 12345, 0), 0);
    fill();
    EXPECT_THAT(log.text(), HasSubstr("belongs to another user"));
    EXPECT_FALSE(test::fs::exists(file));
}

TEST_F(ScanCacheTest, WithoutAFileItRemembersForItself) {
    ScanCache cache("", log);
    cache.put(plugin, id, good());
    cache.save();
    EXPECT_TRUE(cache.find(plugin, id));
    EXPECT_EQ(log.text(), "");
}

} // namespace
} // namespace bkhost
