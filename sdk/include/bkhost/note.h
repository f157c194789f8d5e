/* The ELF note that tells what a plugin is before any of its code runs.
 *
 * Section ".note.bkhost" (SHT_NOTE, so that it lies in a PT_NOTE segment and survives strip), note
 * name "bkhost", type 1. The descriptor: u16 ABI major, u16 ABI minor, u32 size of a pointer (all in
 * the byte order of the ELF file), then NUL-terminated texts: module id, module version, and the
 * drivers, one a line, each "kind:name:schemes" with kind "storage", schemes separated by commas.
 * Padded with NUL to a multiple of 4.
 */
#ifndef BKHOST_NOTE_H
#define BKHOST_NOTE_H

#include <bkhost/abi.h>

#define BK_NOTE_SECTION ".note.bkhost"
#define BK_NOTE_NAME "bkhost"
#define BK_NOTE_TYPE 1u

/* Once in a plugin, at file scope, with string literals:
 *     BK_DEFINE_NOTE("org.bkhost.local", "0.1.0", "storage:local:local,file\n")
 */
#define BK_DEFINE_NOTE(id_, version_, drivers_)                                               \
    struct bk_note_layout {                                                                   \
        uint32_t name_size, desc_size, type;                                                  \
        char name[8];                                                                         \
        uint16_t abi_major, abi_minor;                                                        \
        uint32_t pointer_size;                                                                \
        char text[(sizeof(id_ "\0" version_ "\0" drivers_) + 3u) / 4u * 4u];                  \
    };                                                                                        \
    __attribute__((used, section(".note.bkhost"), aligned(4)))                                \
    static const struct bk_note_layout bk_note = {                                            \
        sizeof(BK_NOTE_NAME),                                                                 \
        (uint32_t)(sizeof(struct bk_note_layout) - offsetof(struct bk_note_layout, abi_major)),\
        BK_NOTE_TYPE,                                                                         \
        BK_NOTE_NAME,                                                                         \
        BK_ABI_MAJOR,                                                                         \
        BK_ABI_MINOR,                                                                         \
        (uint32_t)sizeof(void *),                                                             \
        id_ "\0" version_ "\0" drivers_};

#endif
