// What a module may say of itself, and what not: descriptions made here, without a plugin.
#include "host/plugins/module_check.hpp"

#include "host/plugins/module_info.hpp"
#include "host/plugins/testdata/fake_driver.hpp"

#include <bkhost/dumper.hpp>
#include <bkhost/storage.hpp>
#include <bkhost/transform.hpp>

#include <gmock/gmock.h>

#include <array>
#include <cstring>

namespace bkhost {
namespace {

using testing::HasSubstr;

struct ModuleCheck : testing::Test {
    std::array<bk_option, 2> options{fake::kOptions[0], fake::kOptions[1]};
    bk_sanitizer table = bk::sanitizer<fake::Mask>::table;
    bk_component driver = fake::component("mask", "mask");
    const bk_component* drivers[1] = {&driver};
    bk_module module = bk::module("org.example.mask", "1.0", "a test", drivers);

    ModuleCheck() {
        driver.options = options.data();
        driver.vtable = &table;
    }
    std::string problem() const { return module_problem(&module); }
};

TEST_F(ModuleCheck, AGoodOneHasNoProblem) { EXPECT_EQ(problem(), ""); }

TEST_F(ModuleCheck, TheModule) {
    EXPECT_THAT(module_problem(nullptr), HasSubstr("gave no description"));
    const bk_module good = module;
    const auto broken = [&](auto change) {
        module = good;
        change(module);
        return problem();
    };
    EXPECT_THAT(broken([](bk_module& m) { m.struct_size = 8; }),
                HasSubstr("has 8 bytes; at least"));
    EXPECT_THAT(broken([](bk_module& m) { m.struct_size = 1u << 30; }), HasSubstr("at least"));
    EXPECT_THAT(broken([](bk_module& m) { m.abi_major = 3; }), HasSubstr("ABI major 3"));
    EXPECT_THAT(broken([](bk_module& m) { m.id = nullptr; }), HasSubstr("module id"));
    EXPECT_THAT(broken([](bk_module& m) { m.id = "../x"; }), HasSubstr("module id"));
    EXPECT_THAT(broken([](bk_module& m) { m.version = ""; }), HasSubstr("version"));
    EXPECT_THAT(broken([](bk_module& m) { m.components = nullptr; }), HasSubstr("drivers"));
    EXPECT_THAT(broken([](bk_module& m) { m.component_count = 0; }), HasSubstr("drivers"));
    EXPECT_THAT(broken([](bk_module& m) { m.component_count = 1u << 31; }), HasSubstr("drivers"));
    EXPECT_EQ(broken([](bk_module& m) { m.summary = m.vendor = m.license = m.url = nullptr; }), "");
    EXPECT_EQ(describe_module(module).vendor, "");
}

TEST_F(ModuleCheck, TheDriver) {
    const bk_component good = driver;
    const auto broken = [&](auto change) {
        driver = good;
        change(driver);
        return problem();
    };
    EXPECT_THAT(broken([](bk_component& c) { c.struct_size = 4; }), HasSubstr("4 bytes"));
    EXPECT_THAT(broken([](bk_component& c) { c.name = nullptr; }), HasSubstr("name"));
    EXPECT_THAT(broken([](bk_component& c) { c.name = "A b"; }), HasSubstr("name"));
    EXPECT_THAT(broken([](bk_component& c) { c.interface_id = ""; }), HasSubstr("interface id"));
    EXPECT_THAT(broken([](bk_component& c) { c.vtable = nullptr; }), HasSubstr("no table"));
    EXPECT_EQ(
        broken([](bk_component& c) { c.struct_size = offsetof(bk_component, get_extension); }), "");
    EXPECT_EQ(broken([](bk_component& c) { c.schemes = c.summary = nullptr; }), "");
    drivers[0] = nullptr;
    EXPECT_THAT(problem(), HasSubstr("no description"));
}

TEST_F(ModuleCheck, TheOptions) {
    driver.options = nullptr;
    EXPECT_THAT(problem(), HasSubstr("options are missing"));
    driver.option_count = 0;
    EXPECT_EQ(problem(), "");
    driver.options = options.data();
    driver.option_count = 1u << 30;
    EXPECT_THAT(problem(), HasSubstr("too many"));
    driver.option_count = 2;
    options[0].struct_size = 12;
    EXPECT_THAT(problem(), HasSubstr("12 bytes"));
    options[0].struct_size = sizeof(bk_option) + 1;
    EXPECT_THAT(problem(), HasSubstr("odd size"));
    options[0].struct_size = sizeof(bk_option);
    options[1].struct_size = sizeof(bk_option) + 8;
    EXPECT_THAT(problem(), HasSubstr("differ in size"));
    options[1].struct_size = sizeof(bk_option);
    options[1].key = "level";
    EXPECT_THAT(problem(), HasSubstr("'level' is there twice"));
    options[1].key = "";
    EXPECT_THAT(problem(), HasSubstr("no key"));
}

TEST_F(ModuleCheck, OptionsOfALaterMinorAreReadByTheirOwnSize) {
    struct LaterOption {
        bk_option known;
        const char* added;
    };
    LaterOption later[2] = {{fake::kOptions[0], "x"}, {fake::kOptions[1], "y"}};
    for (LaterOption& option : later)
        option.known.struct_size = sizeof option;
    later[0].known.type = 77;
    driver.options = &later[0].known;
    ASSERT_EQ(problem(), "");
    const ModuleInfo info = describe_module(module);
    ASSERT_EQ(info.drivers[0].options.size(), 2u);
    EXPECT_EQ(info.drivers[0].options[0].type, uint32_t{BK_OPT_STRING}) << "an unknown type";
    EXPECT_EQ(info.drivers[0].options[1].key, "salt");
}

TEST_F(ModuleCheck, TheSizeOfTheTable) {
    table.struct_size = offsetof(bk_sanitizer, suggest);
    EXPECT_THAT(problem(), HasSubstr("driver 'mask': its table of functions"));
}

/// A table with every slot set, as its first `size` bytes.
template <class Table>
void expect_required(const char* interface_id,
                     const std::vector<std::pair<const char*, size_t>>& slots,
                     const std::vector<size_t>& optional) {
    std::array<char, sizeof(Table)> table;
    const auto fill = [&] {
        table.fill(1);
        const uint32_t head[2] = {sizeof(Table), 0};
        std::memcpy(table.data(), head, sizeof head);
    };
    bk_component driver = fake::component("x");
    driver.interface_id = interface_id;
    driver.vtable = table.data();
    const bk_component* drivers[] = {&driver};
    const bk_module module = bk::module("org.example.x", "1.0", "a test", drivers);
    fill();
    EXPECT_EQ(module_problem(&module), "");
    for (const auto& [name, offset] : slots) {
        fill();
        std::memset(table.data() + offset, 0, sizeof(void*));
        EXPECT_EQ(module_problem(&module),
                  "driver 'x': the required function '" + std::string(name) + "' is not set");
    }
    fill();
    for (const size_t offset : optional)
        std::memset(table.data() + offset, 0, sizeof(void*));
    EXPECT_EQ(module_problem(&module), "");
    // Together they are every slot there is, so that a new one is not forgotten here.
    EXPECT_EQ((sizeof(Table) - 8) / sizeof(void*), slots.size() + optional.size());
}

#define BK_SLOT(type, slot)                                                                        \
    { #slot, offsetof(type, slot) }

TEST(RequiredSlots, OfEachKind) {
    expect_required<bk_sanitizer>(BK_SANITIZER_ID,
                                  {BK_SLOT(bk_sanitizer, create), BK_SLOT(bk_sanitizer, destroy),
                                   BK_SLOT(bk_sanitizer, expression),
                                   BK_SLOT(bk_sanitizer, suggest)},
                                  {});
    for (const char* id : {BK_COMPRESSOR_ID, BK_ENCRYPTOR_ID})
        expect_required<bk_transform>(
            id,
            {BK_SLOT(bk_transform, create), BK_SLOT(bk_transform, destroy),
             BK_SLOT(bk_transform, process), BK_SLOT(bk_transform, memory)},
            {offsetof(bk_transform, interrupt)});
    expect_required<bk_storage>(
        BK_STORAGE_ID,
        {BK_SLOT(bk_storage, create), BK_SLOT(bk_storage, destroy), BK_SLOT(bk_storage, props),
         BK_SLOT(bk_storage, interrupt), BK_SLOT(bk_storage, probe), BK_SLOT(bk_storage, put),
         BK_SLOT(bk_storage, upload_begin), BK_SLOT(bk_storage, upload_part),
         BK_SLOT(bk_storage, upload_commit), BK_SLOT(bk_storage, upload_abort),
         BK_SLOT(bk_storage, upload_free), BK_SLOT(bk_storage, read_open),
         BK_SLOT(bk_storage, read), BK_SLOT(bk_storage, read_close), BK_SLOT(bk_storage, stat),
         BK_SLOT(bk_storage, list), BK_SLOT(bk_storage, remove_many)},
        {offsetof(bk_storage, copy)});
    expect_required<bk_dumper>(
        BK_DUMPER_ID,
        {BK_SLOT(bk_dumper, create), BK_SLOT(bk_dumper, destroy), BK_SLOT(bk_dumper, interrupt),
         BK_SLOT(bk_dumper, probe), BK_SLOT(bk_dumper, inspect), BK_SLOT(bk_dumper, dump_begin),
         BK_SLOT(bk_dumper, plan), BK_SLOT(bk_dumper, dump), BK_SLOT(bk_dumper, dump_end),
         BK_SLOT(bk_dumper, load_begin), BK_SLOT(bk_dumper, load), BK_SLOT(bk_dumper, load_end)},
        {offsetof(bk_dumper, loaded)});
}

TEST(InterfaceIds, KindsAndTheirInterfaces) {
    EXPECT_EQ(kind_of_interface("bkhost.storage/0"), "storage");
    EXPECT_EQ(kind_of_interface("org.example.mail/2"), "org.example.mail");
    EXPECT_EQ(interface_of_kind("encryptor"), BK_ENCRYPTOR_ID);
    EXPECT_EQ(interface_of_kind("mail"), "");
}

} // namespace
} // namespace bkhost
