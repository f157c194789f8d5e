// Reads the ELF note of a plugin (bkhost/note.h) out of its bytes, without running any of its code
// and without section headers. Judges the bytes alone: not who may write the file, not the ABI's
// version.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost {

/// One line of the note.
struct NoteDriver {
    std::string kind, name;
    std::vector<std::string> schemes;
    bool operator==(const NoteDriver&) const = default;
    auto operator<=>(const NoteDriver&) const = default;
};

struct PluginNote {
    uint16_t abi_major = 0, abi_minor = 0;
    uint32_t pointer_size = 0;
    std::string id, version;
    std::vector<NoteDriver> drivers;
};

enum class NoteState {
    plugin,        ///< `note` is whole and well formed
    no_note,       ///< a shared library, but not a plugin
    not_elf,       ///< or ELF, but not a shared library
    other_machine, ///< for another processor, byte order or size of a pointer
    damaged        ///< truncated or malformed
};

struct NoteResult {
    NoteState state = NoteState::damaged;
    std::string reason; ///< set unless state is plugin: "not an ELF file"
    PluginNote note;
};

/// A file to read from. `read` fills the whole span from that offset or gives false.
struct ByteSource {
    uint64_t size = 0;
    std::function<bool(uint64_t offset, std::span<uint8_t> out)> read;
};

/// Reads only headers and notes; never asks for a byte past `size`. Any bytes may be given.
[[nodiscard]] NoteResult read_plugin_note(const ByteSource& file);
[[nodiscard]] NoteResult parse_plugin_note(std::span<const uint8_t> bytes);

/// Parts of the form of the note that the module's own description must keep too.
[[nodiscard]] bool is_driver_name(std::string_view text) noexcept; ///< "s3", "age-file"
[[nodiscard]] bool is_module_id(std::string_view text) noexcept;   ///< "org.example.mongodb"

} // namespace bkhost
