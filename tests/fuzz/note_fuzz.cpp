// The note of a plugin: any file may lie in a plugin directory.
#include "host/plugins/note_reader.hpp"
#include "tests/fuzz/fuzz_target.hpp"

#include <cstring>

using namespace bkhost;

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const NoteResult result = read_plugin_note(
        {size, [&](uint64_t offset, std::span<uint8_t> out) {
             fuzz::require(offset <= size && out.size() <= size - offset, "reads stay in the file");
             if (!out.empty()) std::memcpy(out.data(), data + offset, out.size());
             return true;
         }});
    const bool good = result.state == NoteState::plugin;
    fuzz::require(good == result.reason.empty(), "there is a reason unless it is a plugin");
    if (!good) return 0;
    fuzz::require(is_module_id(result.note.id) && !result.note.drivers.empty(),
                  "the note is whole");
    for (const NoteDriver& driver : result.note.drivers)
        fuzz::require(is_driver_name(driver.name), "a driver's name is one");
    return 0;
}
