/* The kind "bkhost.storage/0": objects under keys.
 *
 * A key is UTF-8, 1 to 1024 bytes, parts separated by "/", no part empty, "." or "..". An object is
 * visible whole or not at all. The host cuts the parts, keeps each until it is acknowledged, retries
 * and runs several at once; a driver reports and returns.
 */
#ifndef BKHOST_STORAGE_H
#define BKHOST_STORAGE_H

#include <bkhost/abi.h>

#define BK_STORAGE_ID "bkhost.storage/0"
#define BK_STORAGE_UPLOADS_ID "bkhost.storage.uploads/0"
#define BK_STORAGE_USAGE_ID "bkhost.storage.usage/0"

#ifdef __cplusplus
extern "C" {
#endif

enum { /* bk_storage_props.capabilities */
    BK_CAP_ATOMIC_REPLACE = 1,  /* a reader sees the old object or the new one */
    BK_CAP_PUT_IF_ABSENT = 2,   /* and it is atomic: of two writers one wins */
    BK_CAP_PUT_IF_VERSION = 4,
    BK_CAP_RANGE_READ = 8,
    BK_CAP_LIST_AFTER_WRITE = 16,
    BK_CAP_SERVER_COPY = 32,
    BK_CAP_IMMUTABLE = 64,  /* objects cannot be removed for a time */
    BK_CAP_SEQUENTIAL = 128 /* parts must come in order, one at a time */
};
typedef struct bk_storage_props {
    uint32_t struct_size, capabilities;
    uint64_t min_part_size, max_part_size; /* bytes; the last part may be smaller than min */
    uint32_t max_parts;                    /* 0: no limit */
    uint32_t parallel_parts;               /* how many parts at once are worth while */
    uint64_t max_object_size;              /* bytes; 0: no limit */
} bk_storage_props;

typedef struct bk_object {
    uint32_t struct_size, flags;
    uint64_t size;         /* bytes */
    int64_t modified_ms;   /* since 1970 UTC */
    char version[128];     /* opaque (ETag, inode and mtime); "" when the store has none */
} bk_object;

enum { BK_PUT_ALWAYS = 0, BK_PUT_IF_ABSENT = 1, BK_PUT_IF_VERSION = 2 };
typedef struct bk_put_options {
    uint32_t struct_size, condition;
    const char *if_version;    /* with BK_PUT_IF_VERSION */
    const char *content_type;  /* the rest may be NULL */
    const char *storage_class;
    const char *tags;          /* "k=v&k=v", percent-encoded */
    int64_t retain_until_ms;   /* 0: no lock */
} bk_put_options;

typedef struct bk_part {
    uint32_t struct_size, number;   /* from 1 */
    uint64_t offset, size;          /* bytes */
    char token[128];                /* set by upload_part, given back to upload_commit */
} bk_part;

typedef bk_status (*bk_object_fn)(void *ctx, const char *key, const bk_object *) BK_NOEXCEPT;
/* One result of remove_many; a key that did not exist counts as removed. */
typedef bk_status (*bk_removed_fn)(void *ctx, const char *key, bk_status,
                                   const bk_error *) BK_NOEXCEPT;

typedef struct bk_storage {
    uint32_t struct_size, flags;
    bk_status (*create)(const bk_host *, const bk_config *, void **self, bk_error *) BK_NOEXCEPT;
    void (*destroy)(void *self) BK_NOEXCEPT;                           /* [instance] */
    void (*props)(void *self, bk_storage_props *) BK_NOEXCEPT;         /* [any-thread], no I/O */
    /* Wakes every call that blocks; they return CANCELLED. [any-thread] */
    void (*interrupt)(void *self) BK_NOEXCEPT;
    /* Checks that the place exists and answers, and that it does not lie inside `source_path` (NULL:
     * no file source). A place that is not there is NOT_FOUND or UNAVAILABLE, never empty. */
    bk_status (*probe)(void *self, const char *source_path, bk_error *) BK_NOEXCEPT;

    /* A small object, whole, durable and visible on return. EXISTS when the condition does not
     * hold. [any-thread] */
    bk_status (*put)(void *self, const char *key, const void *data, size_t len,
                     const bk_put_options *, bk_object *, bk_error *) BK_NOEXCEPT;

    /* upload_begin opens; nothing is visible before commit. [any-thread] */
    bk_status (*upload_begin)(void *self, const char *key, const bk_put_options *, void **upload,
                              bk_error *) BK_NOEXCEPT;
    /* The caller fills part->number, offset and size. [any-thread], unless SEQUENTIAL */
    bk_status (*upload_part)(void *upload, bk_part *part, const void *data,
                             bk_error *) BK_NOEXCEPT;
    /* Durable and visible on return. May be called again after a RETRYABLE error. [instance] */
    bk_status (*upload_commit)(void *upload, const bk_part *parts, uint32_t count, bk_object *,
                               bk_error *) BK_NOEXCEPT;
    bk_status (*upload_abort)(void *upload, bk_error *) BK_NOEXCEPT; /* leaves nothing */
    void (*upload_free)(void *upload) BK_NOEXCEPT; /* of the handle alone; always called last */

    /* Reads `len` bytes from `offset` (len UINT64_MAX: to the end). Fewer bytes than asked when the
     * object is shorter; INVALID when offset lies past its end. if_version: what stat gave, or NULL; another
     * version by now is CORRUPT. [any-thread] */
    bk_status (*read_open)(void *self, const char *key, uint64_t offset, uint64_t len,
                           const char *if_version, void **reader, bk_error *) BK_NOEXCEPT;
    /* OK with 1..cap bytes, or END. [instance] */
    bk_status (*read)(void *reader, void *buffer, size_t cap, size_t *got,
                      bk_error *) BK_NOEXCEPT;
    void (*read_close)(void *reader) BK_NOEXCEPT;

    /* NOT_FOUND when absent. [any-thread] */
    bk_status (*stat)(void *self, const char *key, bk_object *, bk_error *) BK_NOEXCEPT;
    /* Keys that begin with `prefix` and come after `start_after` (NULL: all), in byte order. With a
     * delimiter ("/") the keys that hold it after the prefix are folded into one entry that ends in it,
     * with a zeroed bk_object. Unreachable is an error, never an empty list. [any-thread] */
    bk_status (*list)(void *self, const char *prefix, const char *start_after,
                      const char *delimiter, bk_object_fn, void *ctx, bk_error *) BK_NOEXCEPT;
    /* A result for each key through the callback; the status tells whether the request as a whole
     * was made. [any-thread] */
    bk_status (*remove_many)(void *self, const char *const *keys, uint32_t count, bk_removed_fn,
                             void *ctx, bk_error *) BK_NOEXCEPT;
    bk_status (*copy)(void *self, const char *from, const char *to,
                      bk_error *) BK_NOEXCEPT; /* may be NULL; needs SERVER_COPY */
} bk_storage;

/* Extension "bkhost.storage.uploads/0": uploads that were never committed. */
typedef struct bk_storage_uploads {
    uint32_t struct_size, flags;
    /* Aborts those under `prefix` that began more than min_age_ms ago; *count says how many. [any-thread] */
    bk_status (*abort_stale)(void *self, const char *prefix, int64_t min_age_ms, uint64_t *count,
                             bk_error *) BK_NOEXCEPT;
} bk_storage_uploads;

/* Extension "bkhost.storage.usage/0": bytes; UINT64_MAX where unknown. [any-thread] */
typedef struct bk_storage_usage {
    uint32_t struct_size, flags;
    bk_status (*free_space)(void *self, uint64_t *free_bytes, uint64_t *total_bytes,
                            bk_error *) BK_NOEXCEPT;
} bk_storage_usage;

#ifdef __cplusplus
}
#endif
#endif
