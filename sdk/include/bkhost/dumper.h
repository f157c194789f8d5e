/* The kind "bkhost.dumper/0": reads a database out and brings it back.
 *
 * A dump is a number of units that may be read at once, each a stream of sections (the schema, one
 * table's rows, the indexes ...), each of those cut into fragments that stand alone. The host closes a
 * frame at the first cut past the frame size, so a driver marks every place where its stream may be cut
 * and needs no buffers of its own.
 *
 * Order of the calls: create, (probe, inspect); dump_begin, plan, dump of each unit (those of one phase
 * at once, phase after phase), dump_end; or load_begin, (loaded), load of each piece, load_end; destroy.
 */
#ifndef BKHOST_DUMPER_H
#define BKHOST_DUMPER_H

#include <bkhost/abi.h>

#define BK_DUMPER_ID "bkhost.dumper/0"

#ifdef __cplusplus
extern "C" {
#endif

/* Phases, in the order in which they stand in a volume; they never share a frame.
 * PROLOGUE: all session state, stored once, replayed by every loading connection. PRE: definitions. DATA:
 * rows; its fragments commute and hold no transaction control, no LOCK, no reference to session state beyond the
 * prologue. POST, in steps: 1 indexes and keys, 2 partitions attached, 3 foreign keys, 4 materialised
 * views, 5 triggers, rules, policies, publications. EPILOGUE: what ends the session. META: for a later run. */
enum {
    BK_PHASE_PROLOGUE = 0,
    BK_PHASE_PRE = 1,
    BK_PHASE_DATA = 2,
    BK_PHASE_POST = 3,
    BK_PHASE_EPILOGUE = 4,
    BK_PHASE_META = 5
};
enum { BK_SECTION_ORDERED = 1 /* loaded in the order of the stream, never interleaved */ };

typedef struct bk_section {
    uint32_t struct_size, phase, step, flags;
    const char *kind;           /* "image" "schema" "table" "sequence" "index" "file" ... */
    const char *namespace_name; /* the schema or database; may be "" */
    const char *name;           /* "users" */
    const char *depends;        /* names of sections to load first, by comma ("a,b" in quotes); or "" */
    uint64_t size_hint;         /* bytes; 0: unknown */
} bk_section;

typedef struct bk_fragment {
    uint32_t struct_size, flags;
    uint64_t rows;      /* in this fragment */
    uint64_t digest[2]; /* rowsum-1 of these rows: low, high; both 0 with rows > 0: not computed */
} bk_fragment;

/* Where a unit writes. The functions belong to the host and are [instance]: one thread a sink. All
 * block for back-pressure and return CANCELLED once the job is cancelled; a driver returns any
 * status but OK at once. */
typedef struct bk_dump_sink {
    uint32_t struct_size;
    uint32_t fragment_target; /* about how many bytes a fragment should have: 1 MiB */
    void *ctx;
    /* The bytes that follow belong to this section. Ends the fragment before. Within one unit phase and step never go down;
     * a section may be named again later and then goes on. */
    bk_status (*section)(struct bk_dump_sink *, const bk_section *, bk_error *) BK_NOEXCEPT;
    bk_status (*write)(struct bk_dump_sink *, const void *, size_t, bk_error *) BK_NOEXCEPT;
    /* All since the last cut (or section) stands alone. */
    bk_status (*cut)(struct bk_dump_sink *, const bk_fragment *, bk_error *) BK_NOEXCEPT;
    /* Kept in the index under `key`, for a later run or for the reader: LSN, GTID, versions. */
    bk_status (*meta)(struct bk_dump_sink *, const char *key, const char *json,
                      bk_error *) BK_NOEXCEPT;
    /* Row proof of a table whose rows are not in the stream as such (a page image). */
    bk_status (*proof)(struct bk_dump_sink *, const char *namespace_name, const char *table,
                       uint64_t rows, const uint64_t digest[2], bk_error *) BK_NOEXCEPT;
} bk_dump_sink;

enum { BK_UNIT_ORDERED = 1 /* has the phase to itself: no other unit's bytes between its own */ };
typedef struct bk_unit {
    uint32_t struct_size, flags, phase, number; /* phase: of its first section; number: for dump() */
    uint64_t size_hint;                         /* bytes; 0: unknown */
    const char *label;                          /* for progress and errors */
} bk_unit;
typedef bk_status (*bk_unit_fn)(void *ctx, const bk_unit *) BK_NOEXCEPT;

enum { BK_LOAD_FIRST = 1 }; /* the first piece of its section */
typedef struct bk_load_unit {
    uint32_t struct_size, flags;
    const char *archive_id;
    bk_section section;
    uint64_t frame_no;       /* of the first frame that it came in; with section_offset it is unique */
    uint64_t section_offset; /* bytes of the section before this piece, in the order of the volume */
    uint64_t size;           /* bytes; 0: not known (a fragment that spans frames) */
    uint64_t rows, digest[2]; /* of a fragment that spans frames: 0 */
} bk_load_unit;
typedef bk_status (*bk_loaded_fn)(void *ctx, uint64_t frame_no, uint64_t section_offset) BK_NOEXCEPT;

typedef struct bk_dumper {
    uint32_t struct_size, flags;
    bk_status (*create)(const bk_host *, const bk_config *, void **self, bk_error *) BK_NOEXCEPT;
    void (*destroy)(void *self) BK_NOEXCEPT; /* [instance] */
    /* Wakes every call that blocks; they return CANCELLED. [any-thread] */
    void (*interrupt)(void *self) BK_NOEXCEPT;

    /* Connects and tells: {"engine":"sqlite","version":"3.40.1","identity":"<same database, same
     * text>","source_path":"<file sources: what a storage must not lie in>","size":<bytes or null>,
     * "warnings":[..]}. UNAVAILABLE, DENIED, NOT_FOUND, CORRUPT say what is wrong. [instance] */
    bk_status (*probe)(void *self, bk_text_fn, void *ctx, bk_error *) BK_NOEXCEPT;
    /* The schema: {"tables":[{"namespace":"main","name":"users","rows":<estimate or null>,"columns":
     * [{"name","type","nullable"}],"key":["id"],"foreign_keys":[..]}]}. [instance] */
    bk_status (*inspect)(void *self, const char *request, bk_text_fn, void *ctx,
                         bk_error *) BK_NOEXCEPT;

    /* Opens the one snapshot that every unit reads. request: {"include":[tables],"exclude":[tables],
     * "what":"all"|"schema"|"data","parent_meta":{..},"tables":{"users":{"columns":{"email":"<SQL>"},
     * "where":"<SQL>"}},"jobs":<at most so many units at once>}; every member may be absent. Emits one JSON
     * object: {"engine":"sqlite","version":"3.40.1","extension":"db","format":"image",
     * "layout":{what a loader must know before it reads}}. No table names in it: it goes into the
     * manifest, which is not encrypted. With "format":"sql" the host puts a comment line that begins with
     * "-- " before each run of fragments of one section. [instance] */
    bk_status (*dump_begin)(void *self, const char *request, bk_text_fn, void *ctx,
                            bk_error *) BK_NOEXCEPT;
    bk_status (*plan)(void *self, bk_unit_fn, void *ctx, bk_error *) BK_NOEXCEPT; /* [instance] */
    bk_status (*dump)(void *self, uint32_t number, bk_dump_sink *, bk_error *) BK_NOEXCEPT; /* [any-thread] */
    /* ok 1: checks that the dump is complete (exit status, footer, known errors), else only lets go of
     * the snapshot. A failure here fails the backup. [instance] */
    bk_status (*dump_end)(void *self, int32_t ok, bk_error *) BK_NOEXCEPT;

    /* Opens the target. request: {"archive_id":"..","engine":"..","version":"..","format":"image",
     * "layout":{..},"target":"refuse"|"replace"|"append","what":..,"include":[..]}. "refuse": EXISTS when the
     * target is not empty; with `include`, when it has one of these. *parallel: how many load() calls at
     * once are worth while. [instance] */
    bk_status (*load_begin)(void *self, const char *request, void **session, uint32_t *parallel,
                            bk_error *) BK_NOEXCEPT;
    /* What the target already holds of this archive, for resume. May be NULL. [instance] */
    bk_status (*loaded)(void *session, bk_loaded_fn, void *ctx, bk_error *) BK_NOEXCEPT;
    /* One piece: whole fragments of one section. PROLOGUE pieces come first and belong to every
     * connection of the session. ORDERED sections come in order, one call at a time. [any-thread] */
    bk_status (*load)(void *session, const bk_load_unit *, bk_source *, bk_error *) BK_NOEXCEPT;
    /* ok 1: checks, makes durable and visible. ok 0: leaves the target as it was, as far as the engine
     * allows. Frees the session in every case. [instance] */
    bk_status (*load_end)(void *session, int32_t ok, bk_error *) BK_NOEXCEPT;
} bk_dumper;

#ifdef __cplusplus
}
#endif
#endif
