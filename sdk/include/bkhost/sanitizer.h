/* The kind "bkhost.sanitizer/0": masks as SQL expressions that the engine evaluates, so that original
 * values never leave it.
 *
 * A column is described by JSON: {"table":"users","namespace":"public","name":"email","type":"text",
 * "length":255,"nullable":true,"unique":true,"key":["id"]}. A dialect is "postgres", "mysql",
 * "mariadb" or "sqlite".
 */
#ifndef BKHOST_SANITIZER_H
#define BKHOST_SANITIZER_H

#include <bkhost/abi.h>

#define BK_SANITIZER_ID "bkhost.sanitizer/0"
#define BK_SANITIZER_VALUE_ID "bkhost.sanitizer.value/0"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bk_sanitizer {
    uint32_t struct_size, flags;
    bk_status (*create)(const bk_host *, const bk_config *, void **self, bk_error *) BK_NOEXCEPT;
    void (*destroy)(void *self) BK_NOEXCEPT; /* [instance] */
    /* Gives one SQL expression over the columns of the row; NULL must stay NULL and equal values
     * must give equal masks. UNSUPPORTED when the dialect or the column's type is not served.
     * [any-thread] */
    bk_status (*expression)(void *self, const char *dialect, const char *column, bk_text_fn,
                            void *ctx, bk_error *) BK_NOEXCEPT;
    /* 0..100: how likely it is that this mask belongs on the column. [any-thread] */
    bk_status (*suggest)(void *self, const char *column, int32_t *score, bk_error *) BK_NOEXCEPT;
} bk_sanitizer;

/* Extension "bkhost.sanitizer.value/0": masks one value in the stream, for engines without SQL and
 * for keys that must not appear in a server's log. */
typedef struct bk_sanitizer_value {
    uint32_t struct_size, flags;
    /* value NULL: SQL NULL. Gives nothing for NULL. [any-thread] */
    bk_status (*mask)(void *self, const char *column, const void *value, size_t len, bk_text_fn,
                      void *ctx, bk_error *) BK_NOEXCEPT;
} bk_sanitizer_value;

#ifdef __cplusplus
}
#endif
#endif
