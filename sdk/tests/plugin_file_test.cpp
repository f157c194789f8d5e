// The files that bkhost_add_plugin makes: one exported symbol, and a note that tells the truth,
// after every way to link and strip.
#include "elf_file.hpp"

#include <bkhost/note.h>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

namespace {

using testing::ElementsAre;

/// Paths come from CMake: SAMPLE_FILES is a list of all built variants, separated by '|'.
std::vector<std::string> sample_files() {
    std::vector<std::string> files;
    std::string_view rest = SAMPLE_FILES;
    while (!rest.empty()) {
        const size_t bar = std::min(rest.find('|'), rest.size());
        files.emplace_back(rest.substr(0, bar));
        rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
    return files;
}

std::string file_name(const testing::TestParamInfo<std::string>& info) {
    return std::filesystem::path(info.param).stem().string();
}

class PluginFile : public testing::TestWithParam<std::string> {};

TEST_P(PluginFile, ExportsTheEntryAndNothingElse) {
    EXPECT_THAT(bk_test::ElfFile(GetParam()).exports(), ElementsAre(BK_ENTRY_NAME));
}

TEST_P(PluginFile, HasANoteThatAgreesWithTheModule) {
    std::vector<bk_test::ElfNote> ours;
    for (bk_test::ElfNote& note : bk_test::ElfFile(GetParam()).notes())
        if (note.name == BK_NOTE_NAME) ours.push_back(std::move(note));
    ASSERT_EQ(ours.size(), 1u);
    EXPECT_EQ(ours[0].type, BK_NOTE_TYPE);
    const std::string& text = ours[0].descriptor;
    ASSERT_GT(text.size(), 8u);
    EXPECT_EQ(text.size() % 4, 0u);
    const uint16_t version[2] = {BK_ABI_MAJOR, BK_ABI_MINOR};
    const uint32_t pointer = sizeof(void*);
    EXPECT_EQ(std::memcmp(text.data(), version, 4), 0);
    EXPECT_EQ(std::memcmp(text.data() + 4, &pointer, 4), 0);

    // Never unloaded, as the host never unloads one.
    void* library = dlopen(GetParam().c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    bk_module_fn entry = nullptr;
    void* symbol = dlsym(library, BK_ENTRY_NAME);
    std::memcpy(&entry, &symbol, sizeof entry);
    const bk_module* module = entry();
    std::string expected = std::string(module->id) + '\0' + module->version + '\0';
    for (uint32_t i = 0; i < module->component_count; ++i) {
        const bk_component& driver = *module->components[i];
        const std::string kind(driver.interface_id + std::strlen("bkhost."));
        expected +=
            kind.substr(0, kind.find('/')) + ":" + driver.name + ":" + driver.schemes + "\n";
    }
    EXPECT_EQ(text.substr(8, expected.size()), expected);
    EXPECT_EQ(text.find_first_not_of('\0', 8 + expected.size()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, PluginFile, testing::ValuesIn(sample_files()), file_name);

TEST(StrippedPlugin, IsReallyStripped) {
    EXPECT_FALSE(bk_test::ElfFile(STRIPPED_FILE).has_section(".symtab"));
    EXPECT_TRUE(bk_test::ElfFile(STRIPPED_FILE).has_section(BK_NOTE_SECTION));
}

} // namespace
