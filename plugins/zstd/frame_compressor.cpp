// Forward, by libzstd's streaming interface in the caller's thread. A frame given whole into enough
// room takes the one-shot path, which copies nothing into buffers of the context.
#include "frame_compressor.hpp"

#include <zstd.h>
#include <zstd_errors.h>

#include <string>

namespace zstd_plugin {

void FrameCompressor::Free::operator()(ZSTD_CCtx_s* context) const noexcept {
    ZSTD_freeCCtx(context);
}

FrameCompressor::FrameCompressor(const Settings& settings) : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw bk::Error(BK_E_NO_MEMORY, "no memory for a zstd context");
    const auto set = [&](ZSTD_cParameter parameter, int value) {
        checked(ZSTD_CCtx_setParameter(context_.get(), parameter, value));
    };
    set(ZSTD_c_compressionLevel, settings.level);
    set(ZSTD_c_checksumFlag, settings.checksum ? 1 : 0);
    if (settings.long_distance) {
        set(ZSTD_c_enableLongDistanceMatching, 1);
        set(ZSTD_c_windowLog, kMaxWindowLog);
    }
}

bk_status FrameCompressor::process(bk_in& in, bk_out& out, bk::Op op) {
    if (broken_) throw bk::Error(BK_E_INVALID, "zstd: called again after a failure");
    if (op == bk::Op::frame)
        throw bk::Error(BK_E_INVALID, "zstd: frames are found in reverse only");
    const bool finish = op == bk::Op::finish;
    if (last_input_ && (!finish || in.len - in.pos != *last_input_))
        throw bk::Error(BK_E_INVALID, "zstd: the input changed after its end was announced");
    if (!in_frame_ && finish) {
        if (compress_whole(in, out)) return BK_END;
        checked(ZSTD_CCtx_setPledgedSrcSize(context_.get(), in.len - in.pos));
    }
    in_frame_ = true;
    const ZSTD_EndDirective directive =
        finish ? ZSTD_e_end : (op == bk::Op::flush ? ZSTD_e_flush : ZSTD_e_continue);
    ZSTD_inBuffer from{in.data, in.len, in.pos};
    ZSTD_outBuffer to{out.data, out.cap, out.pos};
    size_t left = 0;
    do {
        left = checked(ZSTD_compressStream2(context_.get(), &to, &from, directive));
        in.pos = from.pos;
        out.pos = to.pos;
        const bool done = op == bk::Op::run ? from.pos == from.size : left == 0;
        if (done) {
            if (finish) end_frame();
            return finish ? BK_END : BK_OK;
        }
    } while (to.pos < to.size);
    if (finish) last_input_ = in.len - in.pos;
    return BK_NEED_OUTPUT;
}

// True when the frame fitted; false, with nothing done, when there is too little room to be sure.
bool FrameCompressor::compress_whole(bk_in& in, bk_out& out) {
    const size_t size = in.len - in.pos;
    const size_t room = out.cap - out.pos;
    if (room < ZSTD_compressBound(size)) return false;
    out.pos +=
        checked(ZSTD_compress2(context_.get(), out.data + out.pos, room, in.data + in.pos, size));
    in.pos = in.len;
    end_frame();
    return true;
}

// Forgets the pledged size and keeps the parameters and the memory.
void FrameCompressor::end_frame() {
    checked(ZSTD_CCtx_reset(context_.get(), ZSTD_reset_session_only));
    in_frame_ = false;
    last_input_.reset();
}

size_t FrameCompressor::checked(size_t result) {
    if (ZSTD_isError(result) == 0) return result;
    broken_ = true;
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_memory_allocation:
        throw bk::Error(BK_E_NO_MEMORY, "no memory to compress with zstd",
                        "lower the level, or the number of workers");
    default:
        throw bk::Error(BK_E_INTERNAL,
                        std::string("zstd cannot compress: ") + ZSTD_getErrorName(result));
    }
}

} // namespace zstd_plugin
