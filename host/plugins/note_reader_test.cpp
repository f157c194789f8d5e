#include "host/plugins/note_reader.hpp"

#include "host/plugins/testdata/plugin_dir.hpp"

#include <bkhost/abi.h>

#include <elf.h>
#include <gmock/gmock.h>

#include <cstring>
#include <memory>
#include <random>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<uint8_t> bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

std::vector<uint8_t> good_plugin() {
    return bytes_of(test::read_file(test::built_plugin("test_good")));
}

/// Parses a copy that ends where the heap block ends, so that a sanitizer sees any step past it.
NoteResult parse_tight(const std::vector<uint8_t>& bytes, size_t size) {
    const auto tight = std::make_unique<uint8_t[]>(size);
    std::copy_n(bytes.begin(), size, tight.get());
    return parse_plugin_note({tight.get(), size});
}

/// Parses the first `size` bytes and looks at every place that is asked for: as parse_tight without
/// the copy.
NoteResult parse_watched(const std::vector<uint8_t>& bytes, size_t size) {
    return read_plugin_note({size, [&](uint64_t at, std::span<uint8_t> to) {
                                 EXPECT_TRUE(at <= size && to.size() <= size - at) << at;
                                 if (at > size || to.size() > size - at) return false;
                                 std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                                             to.size(), to.begin());
                                 return true;
                             }});
}

/// Where the note's descriptor begins.
size_t descriptor_of(const std::vector<uint8_t>& bytes) {
    const std::string id = "org.bkhost.test.good";
    // The note's id follows its four numbers; the code has the same text elsewhere.
    const std::string head("bkhost\0", 8);
    const std::string whole(bytes.begin(), bytes.end());
    for (size_t at = whole.find(head); at != std::string::npos; at = whole.find(head, at + 1))
        if (whole.compare(at + 16, id.size(), id) == 0) return at + 8;
    ADD_FAILURE() << "no note found";
    return 0;
}

TEST(NoteReader, ReadsTheNoteOfAPlugin) {
    const NoteResult read = parse_plugin_note(good_plugin());
    ASSERT_EQ(read.state, NoteState::plugin) << read.reason;
    EXPECT_EQ(read.note.abi_major, BK_ABI_MAJOR);
    EXPECT_EQ(read.note.abi_minor, BK_ABI_MINOR);
    EXPECT_EQ(read.note.pointer_size, 8u);
    EXPECT_EQ(read.note.id, "org.bkhost.test.good");
    EXPECT_EQ(read.note.version, "1.2.3");
    EXPECT_THAT(read.note.drivers, ElementsAre(NoteDriver{"sanitizer", "good", {"good", "fine"}},
                                               NoteDriver{"sanitizer", "other", {}}));
}

TEST(NoteReader, NeedsNoSectionHeaders) {
    std::vector<uint8_t> bytes = good_plugin();
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    header.e_shoff = 0;
    header.e_shnum = header.e_shstrndx = 0;
    std::memcpy(bytes.data(), &header, sizeof header);
    EXPECT_EQ(parse_plugin_note(bytes).state, NoteState::plugin);
}

TEST(NoteReader, EveryTruncationIsFoundAndNoneReadsPastTheEnd) {
    const std::vector<uint8_t> bytes = good_plugin();
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    size_t needed = 0; // what is loaded; section headers behind it may be missing
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD)
            needed = std::max<size_t>(needed, segment.p_offset + segment.p_filesz);
    }
    ASSERT_LT(needed, bytes.size());
    for (size_t size = 0; size < bytes.size(); ++size) {
        const NoteState state = parse_watched(bytes, size).state;
        if (size <= 2048 || size % 101 == 0) {
            ASSERT_EQ(parse_tight(bytes, size).state, state);
        }
        if (size < 4)
            ASSERT_EQ(state, NoteState::not_elf) << size;
        else if (size < needed)
            ASSERT_EQ(state, NoteState::damaged) << size;
        else
            ASSERT_EQ(state, NoteState::plugin) << size;
    }
}

TEST(NoteReader, DamagedBytesNeverReadOutOfBounds) {
    const std::vector<uint8_t> bytes = good_plugin();
    const size_t note = descriptor_of(bytes);
    std::mt19937 random(20260211);
    const auto below = [&](size_t end) {
        return std::uniform_int_distribution<size_t>(0, end - 1)(random);
    };
    int plugins = 0;
    std::vector<uint8_t> damaged = bytes;
    damaged.shrink_to_fit(); // ends where its heap block ends
    for (int round = 0; round < 20'000; ++round) {
        std::vector<size_t> places;
        for (size_t i = 0, n = 1 + below(4); i < n; ++i) {
            // Headers and note: elsewhere nothing is read.
            const size_t at = below(2) == 0 ? below(1024) : note - 20 + below(100);
            damaged[at] = static_cast<uint8_t>(below(4) == 0 ? 0xff : below(256));
            places.push_back(at);
        }
        const NoteResult read = parse_plugin_note(damaged);
        for (const size_t at : places)
            damaged[at] = bytes[at];
        plugins += read.state == NoteState::plugin ? 1 : 0;
        ASSERT_EQ(read.reason.empty(), read.state == NoteState::plugin);
    }
    EXPECT_GT(plugins, 0);
    EXPECT_LT(plugins, 20'000);
}

TEST(NoteReader, TellsWhatIsNotAPluginFromWhatIsDamaged) {
    EXPECT_EQ(parse_plugin_note({}).state, NoteState::not_elf);
    EXPECT_EQ(parse_plugin_note(bytes_of("INPUT(libfoo.so)\n")).state, NoteState::not_elf);
    // This program's own file is a shared library or an executable without the note.
    const NoteResult self = parse_plugin_note(bytes_of(test::read_file("/proc/self/exe")));
    EXPECT_TRUE(self.state == NoteState::no_note || self.state == NoteState::not_elf)
        << self.reason;
}

struct HeaderCase {
    const char* name;
    size_t offset;
    std::vector<uint8_t> bytes;
    NoteState state;
    const char* reason;
};

class NoteReaderHeader : public testing::TestWithParam<HeaderCase> {};

TEST_P(NoteReaderHeader, IsRefusedWithTheReason) {
    std::vector<uint8_t> bytes = good_plugin();
    std::copy(GetParam().bytes.begin(), GetParam().bytes.end(),
              bytes.begin() + static_cast<std::ptrdiff_t>(GetParam().offset));
    const NoteResult read = parse_tight(bytes, bytes.size());
    EXPECT_EQ(read.state, GetParam().state);
    EXPECT_THAT(read.reason, HasSubstr(GetParam().reason));
}

INSTANTIATE_TEST_SUITE_P(
    Headers, NoteReaderHeader,
    testing::Values(
        HeaderCase{"Class32", EI_CLASS, {ELFCLASS32}, NoteState::other_machine, "32 bit"},
        HeaderCase{"NoClass", EI_CLASS, {9}, NoteState::damaged, "unknown class"},
        HeaderCase{"Order", EI_DATA, {9}, NoteState::other_machine, "byte order"},
        HeaderCase{"Machine",
                   offsetof(Elf64_Ehdr, e_machine),
                   {0xf7, 0xf7},
                   NoteState::other_machine,
                   "built for machine 63479"},
        HeaderCase{"Type",
                   offsetof(Elf64_Ehdr, e_type),
                   {ET_REL, 0},
                   NoteState::not_elf,
                   "not a shared library"},
        HeaderCase{"NoSegments",
                   offsetof(Elf64_Ehdr, e_phnum),
                   {0, 0},
                   NoteState::damaged,
                   "without program headers"},
        HeaderCase{"ManySegments",
                   offsetof(Elf64_Ehdr, e_phnum),
                   {0xff, 0xff},
                   NoteState::damaged,
                   "malformed program headers"},
        HeaderCase{"EntrySize",
                   offsetof(Elf64_Ehdr, e_phentsize),
                   {1, 0},
                   NoteState::damaged,
                   "malformed program headers"},
        HeaderCase{"FarSegments",
                   offsetof(Elf64_Ehdr, e_phoff),
                   {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
                   NoteState::damaged,
                   "program headers lie past"}),
    [](const auto& one) { return std::string(one.param.name); });

/// A note with this descriptor after the numbers, in the good plugin's place.
NoteResult with_texts(const std::string& texts) {
    std::vector<uint8_t> bytes = good_plugin();
    const size_t at = descriptor_of(bytes);
    uint32_t size = 0;
    std::memcpy(&size, &bytes[at - 16], 4);
    EXPECT_LE(texts.size() + 8, size);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(at) + 8, size - 8, uint8_t{0});
    std::copy(texts.begin(), texts.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at) + 8);
    return parse_plugin_note(bytes);
}

TEST(NoteReader, RefusesMalformedTexts) {
    using namespace std::string_literals;
    EXPECT_EQ(with_texts("a.b\0"s
                         "1\0"s
                         "storage:s3:s3\n\0"s)
                  .state,
              NoteState::plugin);
    EXPECT_EQ(with_texts("a.b\0"s
                         "1\0"s
                         "storage:s3:\0"s)
                  .state,
              NoteState::plugin);
    const std::pair<std::string, const char*> cases[] = {{"\0"s
                                                          "1\0"s
                                                          "storage:s3:\n\0"s,
                                                          "module id"},
                                                         {"../x\0"s
                                                          "1\0"s
                                                          "storage:s3:\n\0"s,
                                                          "module id"},
                                                         {"a\0"s
                                                          "\0"s
                                                          "storage:s3:\n\0"s,
                                                          "version"},
                                                         {"a\0"s
                                                          "1\x1b[m\0"s
                                                          "storage:s3:\n\0"s,
                                                          "version"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "\0"s,
                                                          "no driver"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage\n\0"s,
                                                          "malformed line"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage:s3\n\0"s,
                                                          "malformed line"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage::\n\0"s,
                                                          "malformed line"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage:S3:\n\0"s,
                                                          "malformed line"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage:s3:a b\n\0"s,
                                                          "malformed line"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "\nstorage:s3:\n\0"s,
                                                          "malformed line"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage:s3:\nstorage:s3:\n\0"s,
                                                          "twice"},
                                                         {"a\0"s
                                                          "1\0"s
                                                          "storage:s3:\n\0x"s,
                                                          "data after"}};
    for (const auto& [texts, reason] : cases) {
        const NoteResult read = with_texts(texts);
        EXPECT_EQ(read.state, NoteState::damaged) << texts;
        EXPECT_THAT(read.reason, HasSubstr(reason)) << texts;
    }
}

TEST(NoteReader, RefusesOtherSizesOfPointers) {
    std::vector<uint8_t> bytes = good_plugin();
    bytes[descriptor_of(bytes) + 4] = 4;
    EXPECT_EQ(parse_plugin_note(bytes).state, NoteState::other_machine);
}

TEST(NoteReader, RefusesANoteThatRunsPastItsSegment) {
    std::vector<uint8_t> bytes = good_plugin();
    bytes[descriptor_of(bytes) - 13] = 0x7f; // the highest byte of its size
    const NoteResult read = parse_tight(bytes, bytes.size());
    EXPECT_EQ(read.state, NoteState::damaged);
    EXPECT_THAT(read.reason, HasSubstr("runs past its segment"));
}

TEST(NoteReader, AReadErrorIsDamage) {
    const std::vector<uint8_t> bytes = good_plugin();
    for (int fails_at = 0; fails_at < 4; ++fails_at) {
        int call = 0;
        const NoteResult read =
            read_plugin_note({bytes.size(), [&](uint64_t at, std::span<uint8_t> to) {
                                  if (call++ == fails_at) return false;
                                  std::memcpy(to.data(), &bytes[at], to.size());
                                  return true;
                              }});
        EXPECT_NE(read.state, NoteState::plugin) << fails_at;
    }
}

} // namespace
} // namespace bkhost
