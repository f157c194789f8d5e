/* The extension "bkhost.dumper.extract/0" of a dumper whose format is no stream of statements (a page
 * image, a packed file) and which can nevertheless take single tables out of it. The host gives random
 * access to the bytes of the dump's one ordered section of phase DATA, and reads from the storage
 * only what is asked for.
 *
 * Order of the calls: create, names, extract, destroy. A driver without this extension restores such
 * a format as a whole only; one with statements ("format":"sql") needs none: the host chooses the sections.
 */
#ifndef BKHOST_EXTRACT_H
#define BKHOST_EXTRACT_H

#include <bkhost/dumper.h>

#define BK_DUMPER_EXTRACT_ID "bkhost.dumper.extract/0"

#ifdef __cplusplus
extern "C" {
#endif

/* Owned by the host, valid during the call that it was given to; confined to the thread of that call. */
typedef struct bk_random_source {
    uint32_t struct_size, flags;
    void *ctx;
    uint64_t size; /* bytes of the section */
    /* Fills the buffer with the `len` bytes from `offset` on: all of them, or it fails. INVALID when
     * they do not lie within `size`; CORRUPT, UNAVAILABLE, CANCELLED ... as the archive is read: return it. */
    bk_status (*read_at)(const struct bk_random_source *, uint64_t offset, void *buffer, size_t len,
                         bk_error *) BK_NOEXCEPT;
} bk_random_source;

typedef struct bk_dumper_extract {
    uint32_t struct_size, flags;
    /* The names that `include` may hold: tables and views as people know them, one text each; not what
     * belongs to one of them (indexes, triggers, tables behind a table). request: load_begin's.
     * Touches no target. [instance] */
    bk_status (*names)(void *self, const char *request, const bk_random_source *, bk_text_fn,
                       void *ctx, bk_error *) BK_NOEXCEPT;
    /* Brings the tables of `include` into the target, with what belongs to them, all or none. request:
     * load_begin's; `include` holds at least one name. The target need not be empty: with "refuse" none of
     * these tables may be in it (EXISTS, before anything is read), with "replace" they take the place of
     * those that are; every other table stays as it is. A view or trigger that needs a table
     * that is not there is left out, and bk_host.warn says so. Emits one text for each table:
     * {"table":"users","rows":1234}. [instance] */
    bk_status (*extract)(void *self, const char *request, const bk_random_source *, bk_text_fn,
                         void *ctx, bk_error *) BK_NOEXCEPT;
} bk_dumper_extract;

#ifdef __cplusplus
}
#endif
#endif
