/* The kinds "bkhost.compressor/0" and "bkhost.encryptor/0": a stream of bytes turned into another
 * one and back. The shape is zstd's own: the caller's buffers, no callback, never blocks.
 */
#ifndef BKHOST_TRANSFORM_H
#define BKHOST_TRANSFORM_H

#include <bkhost/abi.h>

#define BK_COMPRESSOR_ID "bkhost.compressor/0"
#define BK_ENCRYPTOR_ID "bkhost.encryptor/0"
#define BK_TRANSFORM_FILE_ID "bkhost.transform.file/0"
#define BK_ENCRYPTOR_KEYS_ID "bkhost.encryptor.keys/0"
#define BK_ENCRYPTOR_SEEK_ID "bkhost.encryptor.seek/0"

#ifdef __cplusplus
extern "C" {
#endif

/* Cursors; frozen without a size. `pos` moves from 0 to `len` or `cap`. */
typedef struct bk_in {
    const uint8_t *data;
    size_t len, pos;
} bk_in;
typedef struct bk_out {
    uint8_t *data;
    size_t cap, pos;
} bk_out;

enum { BK_FORWARD = 0, BK_REVERSE = 1 };            /* compress or encrypt; and back */
enum { BK_RUN = 0, BK_FLUSH = 1, BK_FINISH = 2, BK_FRAME = 3 }; /* bk_transform.process, op */

typedef struct bk_transform {
    uint32_t struct_size, flags;
    /* No I/O but reading key files; CONFIG for values that contradict each other. [any-thread] */
    bk_status (*create)(const bk_host *, const bk_config *, int32_t direction, void **self,
                        bk_error *) BK_NOEXCEPT;
    void (*destroy)(void *self) BK_NOEXCEPT; /* [instance] */
    /* Takes input and gives output. [instance]
     *   RUN     takes all input that it can. OK: all input taken, more is welcome. NEED_OUTPUT: the
     *           output is full; call again with the same input cursor and room.
     *   FLUSH   as RUN, and all that was taken so far can be decoded from the output; UNSUPPORTED
     *           where the format has no such thing.
     *   FINISH  the input given now is the last. NEED_OUTPUT until everything is out, then END.
     *   FRAME   a compressor in reverse, and nobody else, is given it. As RUN, but it stops where a
     *           frame ends: END, with in->pos just behind the frame, all of its output given out,
     *           and the instance ready for the next one. OK: all input taken, and no frame ended.
     *           The end of the object is still told by FINISH. UNSUPPORTED where the format cannot
     *           tell where a frame ends.
     * Compressor forward: after END the instance is ready for the next, independent frame; frames laid
     *   end to end are one valid file of the format. The host gives each frame whole with FINISH.
     * Compressor reverse: takes frames laid end to end. FINISH gives END when the input ended
     *   where a frame ends (and after END the instance is ready again), else CORRUPT (truncated).
     * Encryptor: an instance serves one stream; a call after END is INVALID. Authenticated: no byte
     *   of a block is given out before its tag is checked, and the last block is marked as last.
     *   Reverse: DENIED for a wrong key, CORRUPT for damaged data, FINISH before the end: CORRUPT. */
    bk_status (*process)(void *self, bk_in *, bk_out *, int32_t op, bk_error *) BK_NOEXCEPT;
    /* Bytes that one instance costs beside the caller's buffers, for frames of frame_size bytes;
     * an upper bound, asked before create. [any-thread] */
    uint64_t (*memory)(const bk_config *, int32_t direction, uint64_t frame_size) BK_NOEXCEPT;
    /* Wakes an instance that blocks (a codec that is a process); may be NULL. [any-thread] */
    void (*interrupt)(void *self) BK_NOEXCEPT;
} bk_transform;

/* Extension "bkhost.transform.file/0": what the output is as a file. Constant data. */
typedef struct bk_transform_file {
    uint32_t struct_size, magic_len;
    const uint8_t *magic;       /* the first bytes of every output */
    const char *suffix;         /* "zst", without the dot */
    const char *decode_command; /* how to decode without bkhost, stdin to stdout: "zstd -d" */
} bk_transform_file;

/* Extension "bkhost.encryptor.keys/0". A key's fingerprint is a short text that does not tell the key:
 * the manifest lists those of the recipients, and a restore compares them with those of the
 * identities that it holds. */
typedef struct bk_encryptor_keys {
    uint32_t struct_size, flags;
    /* Forward: the fingerprint of each recipient; reverse: of each identity. [instance] */
    bk_status (*fingerprints)(void *self, bk_text_fn, void *ctx, bk_error *) BK_NOEXCEPT;
    /* A new key as the text of a key file (secret!). [any-thread] */
    bk_status (*generate)(bk_text_fn, void *ctx, bk_error *) BK_NOEXCEPT;
    /* The public keys of a key file's text, one a call. [any-thread] */
    bk_status (*public_keys)(const char *text, size_t len, bk_text_fn, void *ctx,
                             bk_error *) BK_NOEXCEPT;
} bk_encryptor_keys;

/* Extension "bkhost.encryptor.seek/0": entry at any offset of the plain text. */
typedef struct bk_encryptor_seek {
    uint32_t struct_size, flags;
    /* How many of the first stored bytes are the header, that is, hold keys and parameters and no
     * data. Forward: known after the first process() that gave output; else 0. Reverse: known once
     * the header has been taken. [instance] */
    uint64_t (*header_size)(void *self) BK_NOEXCEPT;
    /* Reverse, after the whole header was given to process(): the next bytes that process() takes
     * are those stored at *stored_offset; the first *skip bytes that it gives lie before
     * plain_offset. May be called again at any time. [instance] */
    bk_status (*seek)(void *self, uint64_t plain_offset, uint64_t *stored_offset, uint64_t *skip,
                      bk_error *) BK_NOEXCEPT;
    /* The stored offset that a range of plain text up to plain_end needs (exclusive; may lie past
     * the end of the object for the last range). [instance] */
    uint64_t (*stored_end)(void *self, uint64_t plain_end) BK_NOEXCEPT;
} bk_encryptor_seek;

#ifdef __cplusplus
}
#endif
#endif
