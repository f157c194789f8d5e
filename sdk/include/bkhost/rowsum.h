/* The row proof "rowsum-1": a digest of a table that does not depend on the order of its rows.
 * Optional: needs the header <xxhash.h> (0.8 or newer), nothing to link. C11 and C++20.
 *
 * A row is its columns in ordinal order, each the byte 0x00 for NULL, or 0x01, the length of the
 * value as 64 bits little-endian, and the engine's text for the value. The digest of a table is the
 * sum modulo 2^128 of the XXH3-128 (seed 0) of its rows, so that tables of any size can be read in
 * pieces, by several threads, and the pieces added up.
 *
 *     bk_rowsum sum = {{0, 0}, 0};
 *     bk_rowsum_row row;                      // one a thread; 4.6 KiB, so not in a small stack
 *     for each row:
 *         bk_rowsum_row_begin(&row);
 *         bk_rowsum_row_value(&row, "42", 2);
 *         bk_rowsum_row_null(&row);
 *         bk_rowsum_row_end(&row, &sum);
 *
 * No memory is allocated and nothing fails. An object belongs to one thread at a time.
 */
#ifndef BKHOST_ROWSUM_H
#define BKHOST_ROWSUM_H

#ifndef XXH_INLINE_ALL
#  define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BK_ROWSUM_ID "rowsum-1"

/* Digest and number of the rows so far; all zero to begin with. `sum` is low, high, as in
 * bk_fragment.digest. */
typedef struct bk_rowsum {
    uint64_t sum[2];
    uint64_t rows;
} bk_rowsum;

/* A row longer than this is hashed as a stream, a shorter one at once. The odd size keeps the struct
 * below a multiple of its alignment. */
enum { BK_ROWSUM_BUFFER = 4080, BK_ROWSUM_HEX_SIZE = 33 };

/* One row in the making; its fields are private. */
typedef struct bk_rowsum_row {
    XXH3_state_t state; /* in use when streaming */
    uint64_t streaming;
    uint64_t used; /* bytes of buffer */
    uint8_t buffer[BK_ROWSUM_BUFFER];
} bk_rowsum_row;

/* ---- one row ---------------------------------------------------------------------------- */

/* Starts a row; whatever the object held before is forgotten. */
static inline void bk_rowsum_row_begin(bk_rowsum_row *row) {
    row->streaming = 0;
    row->used = 0;
}

/* Bytes of the value that bk_rowsum_row_size announced, in any number of pieces. */
static inline void bk_rowsum_row_bytes(bk_rowsum_row *row, const void *data, size_t len) {
    if (len == 0) return;
    if (len > BK_ROWSUM_BUFFER - row->used) {
        if (!row->streaming) (void)XXH3_128bits_reset(&row->state);
        row->streaming = 1;
        (void)XXH3_128bits_update(&row->state, row->buffer, (size_t)row->used);
        row->used = 0;
        if (len > BK_ROWSUM_BUFFER) {
            (void)XXH3_128bits_update(&row->state, data, len);
            return;
        }
    }
    memcpy(row->buffer + row->used, data, len);
    row->used += len;
}

/* The next column is NULL. */
static inline void bk_rowsum_row_null(bk_rowsum_row *row) {
    const uint8_t mark = 0;
    bk_rowsum_row_bytes(row, &mark, 1);
}

/* The next column is a value of `len` bytes, given by bk_rowsum_row_bytes: for values that come in
 * pieces. */
static inline void bk_rowsum_row_size(bk_rowsum_row *row, uint64_t len) {
    uint8_t mark[9];
    size_t i;
    mark[0] = 1;
    for (i = 0; i < 8; ++i) mark[1 + i] = (uint8_t)(len >> (8 * i));
    bk_rowsum_row_bytes(row, mark, sizeof mark);
}

/* The next column is this value; `data` may be NULL when `len` is 0 (an empty text is not NULL). */
static inline void bk_rowsum_row_value(bk_rowsum_row *row, const void *data, size_t len) {
    bk_rowsum_row_size(row, (uint64_t)len);
    bk_rowsum_row_bytes(row, data, len);
}

/* ---- the sum ---------------------------------------------------------------------------- */

/* Adds what `from` holds to `to`; the order of additions does not matter. */
static inline void bk_rowsum_add(bk_rowsum *to, const bk_rowsum *from) {
    const uint64_t low = to->sum[0] + from->sum[0];
    to->sum[1] += from->sum[1] + (low < to->sum[0] ? 1u : 0u);
    to->sum[0] = low;
    to->rows += from->rows;
}

/* Ends the row and adds it to `sum`. */
static inline void bk_rowsum_row_end(bk_rowsum_row *row, bk_rowsum *sum) {
    XXH128_hash_t hash;
    bk_rowsum one;
    if (row->streaming) {
        (void)XXH3_128bits_update(&row->state, row->buffer, (size_t)row->used);
        hash = XXH3_128bits_digest(&row->state);
    } else {
        hash = XXH3_128bits(row->buffer, (size_t)row->used);
    }
    one.sum[0] = hash.low64;
    one.sum[1] = hash.high64;
    one.rows = 1;
    bk_rowsum_add(sum, &one);
}

/* The digest as 32 hexadecimal digits, most significant first, and NUL. */
static inline void bk_rowsum_hex(const bk_rowsum *sum, char text[BK_ROWSUM_HEX_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    int i;
    for (i = 0; i < 32; ++i) {
        const uint64_t half = i < 16 ? sum->sum[1] : sum->sum[0];
        text[i] = digits[(half >> (60 - 4 * (i % 16))) & 15u];
    }
    text[32] = '\0';
}

#endif
