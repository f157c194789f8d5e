// The ELF part follows elf(5); the note's own bytes are in bkhost/note.h. Every offset is checked
// against the size of the file before it is used, in 64 bits and without a sum that could wrap.
#include "host/plugins/note_reader.hpp"

#include "core/base/text.hpp"

#include <bkhost/note.h>

#include <elf.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

namespace bkhost {
namespace {

constexpr uint64_t kMaxNoteSegment = 1024 * 1024;
constexpr unsigned kMaxProgramHeaders = 1024;
constexpr size_t kMaxName = 128;

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr unsigned kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr unsigned kMachine = EM_S390;
#else
constexpr unsigned kMachine = EM_NONE; // not compared; the dynamic loader refuses what does not fit
#endif
static_assert(sizeof(void*) == 8, "the note reader reads 64-bit files only");

/// Why a file is not a plugin; ends the reading.
struct Refusal {
    NoteState state;
    std::string reason;
};

Refusal damaged(std::string reason) { return {NoteState::damaged, std::move(reason)}; }

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Lower case and digits, and the further characters, though not as the first.
bool is_name(std::string_view text, std::string_view further) noexcept {
    if (text.empty() || text.size() > kMaxName) return false;
    if (!is_lower(text[0]) && !is_digit(text[0])) return false;
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return is_lower(c) || is_digit(c) || further.find(c) != std::string_view::npos;
    });
}

bool is_version(std::string_view text) {
    return !text.empty() && text.size() <= kMaxName &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string machine_name(unsigned machine) {
    switch (machine) {
    case EM_386: return "x86 (32 bit)";
    case EM_X86_64: return "x86-64";
    case EM_ARM: return "arm (32 bit)";
    case EM_AARCH64: return "aarch64";
    case EM_RISCV: return "riscv";
    case EM_PPC64: return "ppc64";
    case EM_S390: return "s390x";
    default: return "machine " + std::to_string(machine);
    }
}

std::optional<Refusal> check_header(const Elf64_Ehdr& header) {
    const auto other = [](std::string reason) {
        return Refusal{NoteState::other_machine, std::move(reason)};
    };
    constexpr unsigned char order =
        std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
    if (header.e_ident[EI_CLASS] == ELFCLASS32) return other("built for 32 bit");
    if (header.e_ident[EI_CLASS] != ELFCLASS64) return damaged("an ELF file of an unknown class");
    if (header.e_ident[EI_DATA] != order) return other("built for another byte order");
    if (kMachine != EM_NONE && header.e_machine != kMachine)
        return other("built for " + machine_name(header.e_machine) + ", and this is " +
                     machine_name(kMachine));
    if (header.e_type != ET_DYN) return Refusal{NoteState::not_elf, "not a shared library"};
    if (header.e_phnum == 0) return damaged("an ELF file without program headers");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxProgramHeaders)
        return damaged("an ELF file with malformed program headers");
    return std::nullopt;
}

/// "kind:name:schemes"
std::optional<NoteDriver> parse_driver(std::string_view line) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', std::min(first, line.size() - 1) + 1);
    if (second == std::string_view::npos) return std::nullopt;
    NoteDriver driver{std::string(line.substr(0, first)),
                      std::string(line.substr(first + 1, second - first - 1)),
                      split(line.substr(second + 1), ',')};
    if (!is_name(driver.kind, ".-") || !is_driver_name(driver.name)) return std::nullopt;
    for (const std::string& scheme : driver.schemes)
        if (!is_name(scheme, "+.-")) return std::nullopt;
    return driver;
}

std::optional<Refusal> parse_drivers(std::string_view text, std::vector<NoteDriver>& drivers) {
    std::set<std::pair<std::string, std::string>> seen;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        std::optional<NoteDriver> driver;
        if (!line.empty()) driver = parse_driver(line);
        if (!driver) return damaged("its note has a malformed line for a driver");
        if (!seen.emplace(driver->kind, driver->name).second)
            return damaged("its note names the driver '" + driver->name + "' twice");
        drivers.push_back(std::move(*driver));
    }
    if (drivers.empty()) return damaged("its note names no driver");
    return std::nullopt;
}

/// The descriptor: four numbers, then texts that each end in NUL.
std::optional<Refusal> parse_descriptor(std::span<const uint8_t> bytes, PluginNote& note) {
    if (bytes.size() < 8) return damaged("its note is too short");
    std::memcpy(&note.abi_major, bytes.data(), 2);
    std::memcpy(&note.abi_minor, bytes.data() + 2, 2);
    std::memcpy(&note.pointer_size, bytes.data() + 4, 4);
    if (note.pointer_size != sizeof(void*))
        return Refusal{NoteState::other_machine,
                       "built for pointers of " + std::to_string(note.pointer_size) + " bytes"};
    std::string_view rest(reinterpret_cast<const char*>(bytes.data()) + 8, bytes.size() - 8);
    std::string_view texts[3];
    for (std::string_view& text : texts) {
        const size_t end = rest.find('\0');
        if (end == std::string_view::npos) return damaged("its note ends inside a text");
        text = rest.substr(0, end);
        rest.remove_prefix(end + 1);
    }
    if (rest.find_first_not_of('\0') != std::string_view::npos)
        return damaged("its note has data after its last text");
    if (!is_module_id(texts[0])) return damaged("its note has a malformed module id");
    if (!is_version(texts[1])) return damaged("its note has a malformed version");
    note.id = texts[0];
    note.version = texts[1];
    return parse_drivers(texts[2], note.drivers);
}

/// Looks through the notes of one segment for ours.
std::optional<Refusal> parse_segment(std::span<const uint8_t> bytes, uint64_t alignment,
                                     std::optional<PluginNote>& found) {
    const auto align = [&](uint64_t at) { return (at + alignment - 1) / alignment * alignment; };
    for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= bytes.size();) {
        Elf64_Nhdr header;
        std::memcpy(&header, bytes.data() + at, sizeof header);
        const uint64_t name_at = at + sizeof header;
        const uint64_t desc_at = align(name_at + header.n_namesz);
        const uint64_t end = desc_at + header.n_descsz;
        if (end > bytes.size()) return damaged("an ELF note runs past its segment");
        at = align(end);
        if (header.n_type != BK_NOTE_TYPE || header.n_namesz != sizeof BK_NOTE_NAME ||
            std::memcmp(bytes.data() + name_at, BK_NOTE_NAME, sizeof BK_NOTE_NAME) != 0)
            continue;
        if (found) return damaged("it has two plugin notes");
        found.emplace();
        if (auto refusal = parse_descriptor(bytes.subspan(desc_at, header.n_descsz), *found))
            return refusal;
    }
    return std::nullopt;
}

std::optional<Refusal> parse_file(const ByteSource& file, std::optional<PluginNote>& found) {
    const auto read = [&](uint64_t offset, void* to, uint64_t size) {
        return offset <= file.size && size <= file.size - offset &&
               file.read(offset, {static_cast<uint8_t*>(to), static_cast<size_t>(size)});
    };
    Elf64_Ehdr header;
    if (!read(0, &header, SELFMAG) || std::memcmp(&header, ELFMAG, SELFMAG) != 0)
        return Refusal{NoteState::not_elf, "not an ELF file"};
    if (!read(0, &header, sizeof header)) return damaged("truncated inside the ELF header");
    if (auto refusal = check_header(header)) return refusal;

    std::vector<Elf64_Phdr> segments(header.e_phnum);
    if (!read(header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr)))
        return damaged("truncated: its program headers lie past its end");
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE) continue;
        // Loading a file whose segments lie past its end would be a SIGBUS in this process.
        if (segment.p_offset > file.size || segment.p_filesz > file.size - segment.p_offset)
            return damaged("truncated: a segment lies past its end");
    }
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type != PT_NOTE) continue;
        if (segment.p_filesz > kMaxNoteSegment) return damaged("a note segment is too large");
        std::vector<uint8_t> bytes(segment.p_filesz);
        if (!read(segment.p_offset, bytes.data(), bytes.size()))
            return damaged("a note segment cannot be read");
        if (auto refusal = parse_segment(bytes, segment.p_align == 8 ? 8 : 4, found))
            return refusal;
    }
    if (!found) return Refusal{NoteState::no_note, "not a bkhost plugin"};
    return std::nullopt;
}

} // namespace

bool is_driver_name(std::string_view text) noexcept { return is_name(text, "-"); }
bool is_module_id(std::string_view text) noexcept { return is_name(text, "._-"); }

NoteResult read_plugin_note(const ByteSource& file) {
    std::optional<PluginNote> found;
    if (std::optional<Refusal> refusal = parse_file(file, found))
        return {refusal->state, std::move(refusal->reason), {}};
    return {NoteState::plugin, "", std::move(*found)};
}

NoteResult parse_plugin_note(std::span<const uint8_t> bytes) {
    return read_plugin_note({bytes.size(), [bytes](uint64_t offset, std::span<uint8_t> out) {
                                 if (!out.empty())
                                     std::memcpy(out.data(), bytes.data() + offset, out.size());
                                 return true;
                             }});
}

} // namespace bkhost
