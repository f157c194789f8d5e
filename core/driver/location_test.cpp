// The one-line forms: what they mean, what is refused, and that no message holds a password.
#include "core/driver/location.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::Not;

OptionInfo option(std::string key, uint32_t type, uint32_t flags = 0) {
    OptionInfo info;
    info.key = std::move(key);
    info.type = type;
    info.flags = flags;
    return info;
}

/// A table of invented drivers; loads nothing.
class TableRegistry final : public Registry {
public:
    TableRegistry() {
        add(kStorage, "local", {"local", "file"},
            {option("path", BK_OPT_PATH, BK_OPT_URL_TARGET), option("path-mode", BK_OPT_STRING)});
        add(kStorage, "bucket", {"bucket"},
            {option("bucket", BK_OPT_STRING, BK_OPT_URL_TARGET), option("region", BK_OPT_STRING),
             option("secret-key", BK_OPT_SECRET)});
        add(kDumper, "base", {"base", "based"},
            {option("host", BK_OPT_STRING, BK_OPT_ENDPOINT_HOST),
             option("port", BK_OPT_INT, BK_OPT_ENDPOINT_PORT), option("user", BK_OPT_STRING),
             option("database", BK_OPT_STRING, BK_OPT_URL_TARGET),
             option("password", BK_OPT_SECRET), option("table", BK_OPT_STRING, BK_OPT_REPEATED)});
        add(kDumper, "lite", {"lite", "file"}, {option("path", BK_OPT_PATH, BK_OPT_URL_TARGET)});
        add(kCompressor, "squeeze", {"squeeze"},
            {option("level", BK_OPT_INT, BK_OPT_URL_TARGET), option("threads", BK_OPT_INT)});
        add(kCompressor, "plain", {}, {});
        add(kEncryptor, "seal", {"seal"},
            {option("recipients", BK_OPT_STRING, BK_OPT_URL_TARGET | BK_OPT_REPEATED)});
        add(kEncryptor, "word", {"word"}, {option("phrase", BK_OPT_SECRET, BK_OPT_URL_TARGET)});
    }
    const DriverDescription& describe(std::string_view kind, std::string_view name) override {
        for (const DriverDescription& driver : drivers_)
            if (driver.kind == kind && driver.name == name) return driver;
        throw bk::Error(BK_E_CONFIG, "no such driver");
    }
    const DriverDescription* find_scheme(std::string_view kind, std::string_view scheme) override {
        for (const DriverDescription& driver : drivers_)
            if (driver.kind == kind && std::find(driver.schemes.begin(), driver.schemes.end(),
                                                 scheme) != driver.schemes.end())
                return &driver;
        return nullptr;
    }
    std::vector<std::string> names(std::string_view kind) override {
        std::vector<std::string> all;
        for (const DriverDescription& driver : drivers_)
            if (driver.kind == kind) all.push_back(driver.name);
        return all;
    }
    const bk_component& load(std::string_view, std::string_view) override {
        throw bk::Error(BK_E_CONFIG, "nothing to load");
    }

private:
    void add(std::string_view kind, std::string name, std::vector<std::string> schemes,
             std::vector<OptionInfo> options) {
        DriverDescription driver;
        driver.kind = kind;
        driver.name = std::move(name);
        driver.schemes = std::move(schemes);
        driver.options = std::move(options);
        drivers_.push_back(std::move(driver));
    }
    std::vector<DriverDescription> drivers_;
};

class Location : public testing::Test {
protected:
    /// "driver key=value key=a,b", or the error as "message; hint".
    std::string read(std::string_view kind, std::string_view text) {
        try {
            const DriverSpec spec = parse_location(registry_, kind, text);
            std::string shown = spec.driver;
            for (const auto& [key, values] : spec.options) {
                shown += " " + key + "=";
                for (const std::string& value : values)
                    shown += (&value == &values.front() ? "" : ",") + value;
            }
            return shown;
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CONFIG);
            return error.message() + "; " + error.hint();
        }
    }
    TableRegistry registry_;
};

TEST_F(Location, UrlsAreTakenApart) {
    EXPECT_EQ(read(kDumper, "base://bk@localhost:5433/shop?table=a&table=b"),
              "base database=shop host=localhost port=5433 table=a,b user=bk");
    EXPECT_EQ(read(kDumper, "based://localhost/shop"), "base database=shop host=localhost");
    EXPECT_EQ(read(kDumper, "base://localhost"), "base host=localhost");
    EXPECT_EQ(read(kDumper, "base:///shop"), "base database=shop");
    EXPECT_EQ(read(kDumper, "base://[::1]:5432/shop"), "base database=shop host=::1 port=5432");
    EXPECT_EQ(read(kDumper, "base://[::1]/a%20b%2fc"), "base database=a b/c host=::1");
    EXPECT_EQ(read(kDumper, "base://me%40home@h/x"), "base database=x host=h user=me@home");
    EXPECT_EQ(read(kDumper, "lite:///srv/app.db"), "lite path=/srv/app.db");
    EXPECT_EQ(read(kStorage, "file:///"), "local path=/");
    EXPECT_EQ(read(kStorage, "bucket://acme/db?region=eu"), "bucket bucket=acme/db region=eu");
    EXPECT_EQ(read(kStorage, "bucket://acme?region=a%26b"), "bucket bucket=acme region=a&b");
    EXPECT_EQ(read(kStorage, "local:///a?path_mode=x"), "local path=/a path-mode=x");
}

TEST_F(Location, ShortFormsFillTheTarget) {
    EXPECT_EQ(read(kDumper, "lite:/srv/app.db"), "lite path=/srv/app.db");
    EXPECT_EQ(read(kDumper, "base:shop"), "base database=shop");
    EXPECT_EQ(read(kStorage, "local:rel/dir"), "local path=rel/dir");
    EXPECT_EQ(read(kStorage, "local:/a,b=c"), "local path=/a,b=c");
    EXPECT_EQ(read(kCompressor, "squeeze:9"), "squeeze level=9");
    EXPECT_EQ(read(kCompressor, "squeeze:level=9,threads=2"), "squeeze level=9 threads=2");
    EXPECT_EQ(read(kCompressor, "squeeze:"), "squeeze");
    EXPECT_EQ(read(kEncryptor, "seal:age1abc,age1def"), "seal recipients=age1abc,age1def");
    EXPECT_EQ(read(kEncryptor, "seal:recipients=age1abc,recipients=age1def"),
              "seal recipients=age1abc,age1def");
}

TEST_F(Location, ABareNameIsADriver) {
    EXPECT_EQ(read(kCompressor, "squeeze"), "squeeze");
    EXPECT_EQ(read(kCompressor, "plain"), "plain");
    EXPECT_EQ(read(kStorage, "bucket"), "bucket");
}

TEST_F(Location, PathsNeedNoScheme) {
    for (const char* path : {"/var/backups", "./x", "../x", "~/x", "backups", "a b", ".", "dir/x"})
        EXPECT_EQ(read(kStorage, path), std::string("local path=") + path);
    EXPECT_EQ(read(kDumper, "app.db"), "lite path=app.db");
    EXPECT_THAT(read(kCompressor, "/x"), HasSubstr("no compressor driver takes '/x'"));
}

TEST_F(Location, AFileThatExistsGoesBeforeADriversName) {
    namespace fs = std::filesystem;
    const fs::path here = fs::current_path();
    const fs::path folder =
        fs::temp_directory_path() / ("bkhost-location-" + std::to_string(::getpid()));
    fs::create_directories(folder);
    fs::current_path(folder);
    std::ofstream("bucket") << "x";
    std::ofstream("odd:name") << "x";
    EXPECT_EQ(read(kStorage, "bucket"), "local path=bucket");
    EXPECT_EQ(read(kStorage, "odd:name"), "local path=odd:name");
    fs::current_path(here);
    fs::remove_all(folder);
}

TEST_F(Location, UnknownSchemesNameWhatIsInstalled) {
    EXPECT_EQ(read(kStorage, "buckte://x/y"),
              "no storage driver takes 'buckte'; did you mean 'bucket'? "
              "installed: local (local, file), bucket");
    EXPECT_EQ(read(kCompressor, "xyzzy:3"),
              "no compressor driver takes 'xyzzy'; installed: squeeze, plain");
    EXPECT_THAT(read(kSanitizer, "x"), HasSubstr("no sanitizer driver is installed"));
    EXPECT_THAT(read(kStorage, ""), HasSubstr("names no storage driver"));
}

TEST_F(Location, WhatTheDriverDoesNotTakeIsRefused) {
    EXPECT_THAT(read(kDumper, "base://h/x?tabel=a"),
                HasSubstr("unknown option 'tabel'; did you mean 'table'?"));
    EXPECT_THAT(read(kDumper, "lite://host/x"), HasSubstr("names the host 'host'"));
    EXPECT_THAT(read(kDumper, "lite:///x?a=b"), HasSubstr("unknown option 'a'"));
    EXPECT_THAT(read(kStorage, "bucket://me@acme"), HasSubstr("unknown option 'user'"));
    EXPECT_THAT(read(kStorage, "bucket://acme:80"), HasSubstr("takes no port"));
    EXPECT_THAT(read(kCompressor, "plain:9"), HasSubstr("takes no value in its location"));
    EXPECT_THAT(read(kDumper, "base://h/x?user=a&user=b"), HasSubstr("is given twice"));
    EXPECT_THAT(read(kDumper, "base://h/x?user"), HasSubstr("key=value"));
    EXPECT_THAT(read(kCompressor, "squeeze:level=9,2"), HasSubstr("mixes key=value"));
    for (const char* port : {"base://h:/x", "base://h:0/x", "base://h:70000/x", "base://h:x/y",
                             "base://[::1]x/y", "base://h:+1x/y"})
        EXPECT_THAT(read(kDumper, port), HasSubstr("port")) << port;
    EXPECT_THAT(read(kDumper, "base://[::1/x"), HasSubstr("has no ']'"));
    for (const char* percent : {"base://h/%", "base://h/%4", "base://h/%zz", "base://h/a?table=%x"})
        EXPECT_THAT(read(kDumper, percent), HasSubstr("two hex digits")) << percent;
}

TEST_F(Location, APasswordIsRefusedAndNeverPrinted) {
    const std::string canary = "canary4711";
    for (const std::string& text :
         {"base://bk:" + canary + "@localhost/shop", "base://:" + canary + "@localhost/shop",
          "base://bk:" + canary + "@x@localhost", "base://h/x?password=" + canary,
          "base:password=" + canary, "base:bk:" + canary + "@localhost/shop",
          "base://h/x?pasword=" + canary, "nosuch://bk:" + canary + "@h/x"}) {
        const std::string message = read(kDumper, text);
        EXPECT_THAT(message, Not(HasSubstr(canary))) << text;
        EXPECT_THAT(message, HasSubstr("; ")) << text;
    }
    EXPECT_THAT(read(kDumper, "base://bk:x@localhost/shop"), HasSubstr("{env: NAME}"));
    EXPECT_THAT(read(kEncryptor, "word:" + canary), HasSubstr("does not go into a location"));
    EXPECT_THAT(read(kEncryptor, "word:" + canary), Not(HasSubstr(canary)));
}

TEST_F(Location, TextForMessagesHasNoSecret) {
    const auto text = [&](std::string_view kind, const DriverSpec& spec) {
        return location_text(spec, registry_.describe(kind, spec.driver));
    };
    EXPECT_EQ(text(kStorage, {"local", {{"path", {"/var/backups"}}}}), "local:/var/backups");
    EXPECT_EQ(text(kDumper, {"base",
                             {{"database", {"shop"}},
                              {"host", {"db"}},
                              {"port", {"5433"}},
                              {"password", {"canary"}}}}),
              "base:shop on db:5433");
    EXPECT_EQ(text(kEncryptor, {"seal", {{"recipients", {"a", "b"}}}}), "seal:a,b");
    EXPECT_EQ(text(kEncryptor, {"word", {{"phrase", {"canary"}}}}), "word");
    EXPECT_EQ(text(kCompressor, {"plain", {}}), "plain");
}

} // namespace
} // namespace bkhost
