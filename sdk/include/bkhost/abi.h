/* The base of the bkhost plugin ABI: status codes, errors, options, drivers, the module entry and
 * the services that the host lends to a driver. C11 and C++20; nothing to link. The five kinds are
 * in transform.h, storage.h, dumper.h and sanitizer.h.
 *
 * A draft: major 0. Host and driver must come from the same source version until 1.0.
 *
 * Thread tags: [once] called once in a process; [instance] never two at a time on one instance;
 * [any-thread] may be called from several threads at once.
 */
#ifndef BKHOST_ABI_H
#define BKHOST_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#  define BK_NOEXCEPT noexcept
#  define BK_EXPORT extern "C" __attribute__((visibility("default")))
#else
#  define BK_NOEXCEPT
#  define BK_EXPORT __attribute__((visibility("default")))
#endif

#define BK_ABI_MAJOR 0
#define BK_ABI_MINOR 1
/* Authors pin the lowest minor that they need; newer slots are then hidden from them. */
#ifndef BK_TARGET_MINOR
#  define BK_TARGET_MINOR BK_ABI_MINOR
#endif
/* Name of the one exported function; it holds the major. */
#define BK_ENTRY_NAME "bk_module_v0"

/* True when the struct that `s` points at is long enough to have `slot`, and the slot is set. */
#define BK_HAS(s, type, slot)                                                       \
    ((s)->struct_size >= offsetof(type, slot) + sizeof((s)->slot) && (s)->slot)

#ifdef __cplusplus
extern "C" {
#endif

/* ---- status and error ------------------------------------------------------------------- */

/* Never a C enum; a code that the receiver does not know counts as BK_E_INTERNAL. */
typedef int32_t bk_status;
enum {
    BK_OK = 0,
    BK_END = 1,          /* not an error: the stream or the frame is complete */
    BK_NEED_OUTPUT = 2,  /* not an error: the output buffer is full, call again */
    BK_E_INTERNAL = 16,
    BK_E_CANCELLED = 17,
    BK_E_CONFIG = 18,      /* an option is wrong */
    BK_E_INVALID = 19,     /* an argument or a call out of order */
    BK_E_NOT_FOUND = 20,
    BK_E_EXISTS = 21,
    BK_E_DENIED = 22,      /* no right, wrong key, wrong password */
    BK_E_UNAVAILABLE = 23, /* the other side does not answer */
    BK_E_TIMEOUT = 24,
    BK_E_CORRUPT = 25,     /* the data are damaged, truncated or forged */
    BK_E_NO_SPACE = 26,
    BK_E_UNSUPPORTED = 27,
    BK_E_BUSY = 28,
    BK_E_NO_MEMORY = 29
};

enum {
    BK_ERR_RETRYABLE = 1, /* the same call may succeed later */
    BK_ERR_PARTIAL = 2    /* something was done before it failed */
};

/* Owned by the caller, one per call: no locks, no lifetime rules, works without memory. The caller
 * sets struct_size; a function that fails sets status and message at least. */
typedef struct bk_error {
    uint32_t struct_size, flags;
    bk_status status;
    uint32_t retry_after_ms; /* asked by the service; 0: the host decides */
    int64_t native_code;     /* errno, HTTP status, server error number */
    char native_domain[32];  /* "errno", "http", "sqlstate" */
    char message[512];       /* UTF-8: what failed, on which object; no secrets */
    char hint[256];          /* UTF-8: what the operator can do; may be empty */
} bk_error;

/* ---- text, streams ---------------------------------------------------------------------- */

/* Hands a text over; `text` is valid during the call only and need not end in NUL. A status other
 * than BK_OK ends the enumeration and is returned by the function that called. */
typedef bk_status (*bk_text_fn)(void *ctx, const char *text, size_t len) BK_NOEXCEPT;

/* Where a driver reads a stream from. read() gives BK_OK with 1..cap bytes in *got, BK_END with
 * *got = 0 at the end, or an error. [instance] */
typedef struct bk_source {
    uint32_t struct_size, flags;
    void *ctx;
    bk_status (*read)(struct bk_source *, void *buffer, size_t cap, size_t *got,
                      bk_error *) BK_NOEXCEPT;
} bk_source;

/* ---- options and configuration ---------------------------------------------------------- */

enum { /* bk_option.type; the form of the text that get_str gives */
    BK_OPT_STRING = 0,
    BK_OPT_BOOL = 1,     /* true|false (yes, no, on, off are taken) */
    BK_OPT_INT = 2,      /* decimal; allowed: "1..22" */
    BK_OPT_SIZE = 3,     /* bytes: 64KiB, 8MiB, 1GB, 4096; allowed: "5MiB..5GiB" */
    BK_OPT_DURATION = 4, /* milliseconds: 250ms, 60s, 5m, 2h, 7d */
    BK_OPT_ENUM = 5,     /* allowed: "a|b|c" */
    BK_OPT_PATH = 6,
    BK_OPT_SECRET = 7,   /* a string that is never printed */
    BK_OPT_JSON = 8      /* any JSON value, handed over as text */
};
enum { /* bk_option.flags */
    BK_OPT_REQUIRED = 1,
    BK_OPT_REPEATED = 2, /* a list */
    BK_OPT_ADVANCED = 4,
    BK_OPT_DEPRECATED = 8,
    BK_OPT_ENDPOINT_HOST = 16, /* a tunnel re-points these two */
    BK_OPT_ENDPOINT_PORT = 32,
    BK_OPT_URL_TARGET = 64, /* where the host puts what follows `scheme:` of a short form */
    BK_OPT_IDENTITY = 128 /* an encryptor's key to read with; --identity fills that of type PATH */
};
typedef struct bk_option {
    uint32_t struct_size, type, flags, since_minor;
    const char *key;           /* "part-size": lower case, digits, dash */
    const char *default_value; /* NULL: none */
    const char *allowed;       /* NULL: anything of the type */
    const char *help;          /* one line */
} bk_option;

/* The values of an instance, already checked against the driver's options; owned by the host and
 * valid until destroy. [any-thread] */
typedef struct bk_config bk_config;
struct bk_config {
    uint32_t struct_size, flags;
    void *ctx;
    /* How many values `key` has: 0 when absent and without default. */
    uint32_t (*count)(const bk_config *, const char *key) BK_NOEXCEPT;
    /* The i-th value as text; NULL past the end. Valid until destroy. */
    const char *(*get_str)(const bk_config *, const char *key, uint32_t i) BK_NOEXCEPT;
    /* BOOL 0 or 1, INT, SIZE in bytes, DURATION in ms, ENUM the index in `allowed`; else 0. */
    int64_t (*get_int)(const bk_config *, const char *key, uint32_t i) BK_NOEXCEPT;
};

/* ---- services of the host --------------------------------------------------------------- */

enum { BK_LOG_DEBUG = 0, BK_LOG_INFO = 1, BK_LOG_WARN = 2, BK_LOG_ERROR = 3 };

/* One for each instance; valid until destroy. Every function is [any-thread]. */
typedef struct bk_host bk_host;
struct bk_host {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    void *ctx;
    void (*log)(const bk_host *, int32_t level, const char *text) BK_NOEXCEPT;
    /* 1 when the work is cancelled. Poll once a second or more often in a long loop. */
    int32_t (*is_cancelled)(const bk_host *) BK_NOEXCEPT;
    /* total 0: unknown. The unit is bytes. */
    void (*progress)(const bk_host *, uint64_t done, uint64_t total) BK_NOEXCEPT;
    /* Reads the secret option `key` anew, for a token that expired in the middle. */
    bk_status (*get_secret)(const bk_host *, const char *key, bk_text_fn, void *ctx,
                            bk_error *) BK_NOEXCEPT;
    /* Ends up in the manifest and in the catalog: code "row-security", object "public.users". */
    void (*warn)(const bk_host *, const char *code, const char *object,
                 const char *text) BK_NOEXCEPT;
    /* A further table of services by id, or NULL. */
    const void *(*get_extension)(const bk_host *, const char *id) BK_NOEXCEPT;
};

/* ---- drivers and the module ------------------------------------------------------------- */

enum { /* bk_component.thread_model: the host takes the locks that it asks for */
    BK_THREADS_MODULE = 0,   /* one call at a time in the whole module */
    BK_THREADS_INSTANCE = 1, /* one call at a time on an instance */
    BK_THREADS_PARALLEL = 2  /* as the tags of each function say */
};

typedef struct bk_component { /* a driver */
    uint32_t struct_size, thread_model;
    const char *name;         /* "s3": lower case, digits, dash */
    const char *interface_id; /* "bkhost.storage/0" */
    const char *summary;      /* one line */
    const bk_option *options;
    uint32_t option_count, flags;
    const char *schemes; /* URL schemes that mean this driver, "postgres,postgresql"; may be "" */
    const void *vtable;  /* the struct that interface_id names */
    /* A further table of functions by id, or NULL for an id that it does not know. [any-thread]
     * The slot itself may be NULL. */
    const void *(*get_extension)(const char *id) BK_NOEXCEPT;
} bk_component;

typedef struct bk_module { /* a plugin */
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    const char *id; /* "org.example.mongodb" */
    const char *version, *summary, *vendor, *license, *url;
    const bk_component *const *components;
    uint32_t component_count, flags;
    bk_status (*init)(const bk_host *, bk_error *) BK_NOEXCEPT; /* [once] before the first create;
                                                                   may be NULL */
    void (*fini)(void) BK_NOEXCEPT; /* [once] at exit, after the last destroy; may be NULL */
} bk_module;

typedef const bk_module *(*bk_module_fn)(void) BK_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

/* The only exported function of a plugin: gives constant data and does nothing else. [once] */
BK_EXPORT const bk_module *bk_module_v0(void) BK_NOEXCEPT;

#endif
