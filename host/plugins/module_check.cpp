// A plugin of a later minor has longer structs: a struct must be at least as long as the first
// draft's and is read as far as this host knows it.
#include "host/plugins/module_check.hpp"

#include "host/plugins/note_reader.hpp"

#include <bkhost/dumper.h>
#include <bkhost/sanitizer.h>
#include <bkhost/storage.h>
#include <bkhost/transform.h>

#include <cstddef>
#include <cstring>
#include <set>
#include <span>

namespace bkhost {
namespace {

/// No description comes near it; a larger number is not a size.
constexpr uint32_t kMaxStruct = 64 * 1024;
constexpr uint32_t kMaxComponents = 256;
constexpr uint32_t kMaxOptions = 1024;

/// A function that a kind's table must have.
struct Slot {
    const char* name;
    size_t offset;
};

#define BK_SLOT(type, slot)                                                                        \
    Slot { #slot, offsetof(type, slot) }

constexpr Slot kTransformSlots[] = {BK_SLOT(bk_transform, create), BK_SLOT(bk_transform, destroy),
                                    BK_SLOT(bk_transform, process), BK_SLOT(bk_transform, memory)};

constexpr Slot kStorageSlots[] = {
    BK_SLOT(bk_storage, create),        BK_SLOT(bk_storage, destroy),
    BK_SLOT(bk_storage, props),         BK_SLOT(bk_storage, interrupt),
    BK_SLOT(bk_storage, probe),         BK_SLOT(bk_storage, put),
    BK_SLOT(bk_storage, upload_begin),  BK_SLOT(bk_storage, upload_part),
    BK_SLOT(bk_storage, upload_commit), BK_SLOT(bk_storage, upload_abort),
    BK_SLOT(bk_storage, upload_free),   BK_SLOT(bk_storage, read_open),
    BK_SLOT(bk_storage, read),          BK_SLOT(bk_storage, read_close),
    BK_SLOT(bk_storage, stat),          BK_SLOT(bk_storage, list),
    BK_SLOT(bk_storage, remove_many)};

constexpr Slot kDumperSlots[] = {
    BK_SLOT(bk_dumper, create),     BK_SLOT(bk_dumper, destroy), BK_SLOT(bk_dumper, interrupt),
    BK_SLOT(bk_dumper, probe),      BK_SLOT(bk_dumper, inspect), BK_SLOT(bk_dumper, dump_begin),
    BK_SLOT(bk_dumper, plan),       BK_SLOT(bk_dumper, dump),    BK_SLOT(bk_dumper, dump_end),
    BK_SLOT(bk_dumper, load_begin), BK_SLOT(bk_dumper, load),    BK_SLOT(bk_dumper, load_end)};

constexpr Slot kSanitizerSlots[] = {BK_SLOT(bk_sanitizer, create), BK_SLOT(bk_sanitizer, destroy),
                                    BK_SLOT(bk_sanitizer, expression),
                                    BK_SLOT(bk_sanitizer, suggest)};

#undef BK_SLOT

struct Kind {
    std::string_view interface_id;
    std::span<const Slot> slots;
};

constexpr Kind kKinds[] = {{BK_DUMPER_ID, kDumperSlots},
                           {BK_COMPRESSOR_ID, kTransformSlots},
                           {BK_ENCRYPTOR_ID, kTransformSlots},
                           {BK_STORAGE_ID, kStorageSlots},
                           {BK_SANITIZER_ID, kSanitizerSlots}};

bool empty(const char* text) { return text == nullptr || *text == '\0'; }

std::string size_problem(const std::string& what, uint32_t size, size_t least) {
    if (size >= least && size <= kMaxStruct) return "";
    return what + " says that it has " + std::to_string(size) + " bytes; at least " +
           std::to_string(least) + " are needed";
}

std::string slots_problem(const std::string& driver, const void* table, const Kind& kind) {
    uint32_t size = 0;
    std::memcpy(&size, table, sizeof size);
    for (const Slot& slot : kind.slots) {
        if (std::string why = size_problem(driver + ": its table of functions", size,
                                           slot.offset + sizeof(void*));
            !why.empty())
            return why;
        const void* function = nullptr;
        std::memcpy(&function, static_cast<const char*>(table) + slot.offset, sizeof function);
        if (function == nullptr)
            return driver + ": the required function '" + slot.name + "' is not set";
    }
    return "";
}

std::string options_problem(const std::string& driver, const bk_component& component) {
    if (component.option_count == 0) return "";
    if (component.option_count > kMaxOptions || component.options == nullptr)
        return driver + ": its options are missing or too many";
    const uint32_t size = component.options->struct_size;
    if (std::string why = size_problem(driver + ": an option", size, sizeof(bk_option));
        !why.empty() || size % alignof(bk_option) != 0)
        return why.empty() ? driver + ": an option has an odd size" : why;
    std::set<std::string_view> keys;
    for (const bk_option* option : options_of(component)) {
        if (option->struct_size != size) return driver + ": its options differ in size";
        if (empty(option->key)) return driver + ": an option has no key";
        if (!keys.insert(option->key).second)
            return driver + ": the option '" + option->key + "' is there twice";
    }
    return "";
}

std::string component_problem(const bk_component* component) {
    if (component == nullptr) return "one of its drivers has no description";
    if (std::string why = size_problem("the description of a driver", component->struct_size,
                                       offsetof(bk_component, get_extension));
        !why.empty())
        return why;
    if (empty(component->name) || !is_driver_name(component->name))
        return "one of its drivers has no well-formed name";
    const std::string driver = "driver '" + std::string(component->name) + "'";
    if (empty(component->interface_id)) return driver + ": no interface id";
    if (std::string why = options_problem(driver, *component); !why.empty()) return why;
    for (const Kind& kind : kKinds) {
        if (kind.interface_id != component->interface_id) continue;
        if (component->vtable == nullptr) return driver + ": no table of functions";
        return slots_problem(driver, component->vtable, kind);
    }
    return ""; // a kind of another host: listed, and refused when it is asked for
}

} // namespace

std::string module_problem(const bk_module* module) {
    if (module == nullptr) return "its entry gave no description of the module";
    if (std::string why = size_problem("the description of the module", module->struct_size,
                                       offsetof(bk_module, init));
        !why.empty())
        return why;
    if (module->abi_major != BK_ABI_MAJOR)
        return "its code has ABI major " + std::to_string(module->abi_major);
    if (empty(module->id) || !is_module_id(module->id)) return "no well-formed module id";
    if (empty(module->version)) return "no version";
    if (module->component_count == 0 || module->component_count > kMaxComponents ||
        module->components == nullptr)
        return "its drivers are missing or too many";
    for (uint32_t i = 0; i < module->component_count; ++i)
        if (std::string why = component_problem(module->components[i]); !why.empty()) return why;
    return "";
}

std::string kind_of_interface(std::string_view interface_id) {
    std::string_view kind = interface_id.substr(0, interface_id.rfind('/'));
    constexpr std::string_view kOurs = "bkhost.";
    if (kind.starts_with(kOurs)) kind.remove_prefix(kOurs.size());
    return std::string(kind);
}

std::string_view interface_of_kind(std::string_view kind) noexcept {
    for (const Kind& known : kKinds)
        if (kind_of_interface(known.interface_id) == kind) return known.interface_id;
    return "";
}

std::vector<const bk_option*> options_of(const bk_component& component) {
    std::vector<const bk_option*> all;
    for (uint32_t i = 0; i < component.option_count; ++i) {
        // The array's stride is the plugin's size of an option, not ours.
        const size_t offset = size_t{component.options->struct_size} * i;
        all.push_back(reinterpret_cast<const bk_option*>(
            reinterpret_cast<const char*>(component.options) + offset));
    }
    return all;
}

} // namespace bkhost
