// Reverse, by libzstd's streaming interface, which walks from frame to frame and over skippable
// ones by itself and decodes a whole frame straight into the caller's buffer when both allow it.
#include "frame_decompressor.hpp"

#include "settings.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <string>

namespace zstd_plugin {

void FrameDecompressor::Free::operator()(ZSTD_DCtx_s* context) const noexcept {
    ZSTD_freeDCtx(context);
}

FrameDecompressor::FrameDecompressor() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw bk::Error(BK_E_NO_MEMORY, "no memory for a zstd context");
    checked(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog));
}

bk_status FrameDecompressor::process(bk_in& in, bk_out& out, bk::Op op) {
    if (broken_) throw bk::Error(BK_E_INVALID, "zstd: called again after a failure");
    for (;;) {
        if (in.pos == in.len && (at_frame_end_ || drained_)) break;
        if (out.pos == out.cap) return BK_NEED_OUTPUT;
        ZSTD_inBuffer from{in.data, in.len, in.pos};
        ZSTD_outBuffer to{out.data, out.cap, out.pos};
        at_frame_end_ = checked(ZSTD_decompressStream(context_.get(), &to, &from)) == 0;
        drained_ = to.pos < to.size;
        taken_ += from.pos - in.pos;
        in.pos = from.pos;
        out.pos = to.pos;
        if (!at_frame_end_) continue;
        seen_frame_ = true;
        if (op == bk::Op::frame) return BK_END;
    }
    return op == bk::Op::finish ? end_of_input() : BK_OK;
}

bk_status FrameDecompressor::end_of_input() {
    if (at_frame_end_ && seen_frame_) {
        seen_frame_ = false;
        taken_ = 0;
        return BK_END;
    }
    broken_ = true;
    throw bk::Error(BK_E_CORRUPT,
                    "zstd data are truncated: they end inside a frame, after " +
                        std::to_string(taken_) + " bytes",
                    "fetch the object again; if it is the same, use another copy");
}

size_t FrameDecompressor::checked(size_t result) {
    if (ZSTD_isError(result) == 0) return result;
    broken_ = true;
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        throw bk::Error(BK_E_NO_MEMORY, "no memory to decompress with zstd",
                        "lower the number of workers");
    case ZSTD_error_frameParameter_windowTooLarge:
        throw bk::Error(BK_E_UNSUPPORTED, "a zstd frame wants a window above 128 MiB",
                        "decode it with: zstd -d --long=31");
    case ZSTD_error_dictionary_wrong:
        throw bk::Error(BK_E_UNSUPPORTED, "a zstd frame needs a dictionary",
                        "decode it with: zstd -d -D DICTIONARY");
    default:
        throw bk::Error(BK_E_CORRUPT,
                        std::string("zstd data are damaged: ") + ZSTD_getErrorName(result),
                        "fetch the object again; if it is the same, use another copy");
    }
}

} // namespace zstd_plugin
