// Forward. zlib writes into a buffer of our own: it would repeat the marker of a flush for ever,
// were its output as narrow as a caller's may be.
#include "member_compressor.hpp"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace gzip_plugin {
namespace {

constexpr size_t kBuffer = 16 * 1024;
constexpr int kGzipWindow = 15 + 16; // 32 KiB, and a gzip wrapper: see deflateInit2
constexpr int kZlibBest = 9;

int flush_mode(bk::Op op) noexcept {
    if (op == bk::Op::finish) return Z_FINISH;
    return op == bk::Op::flush ? Z_SYNC_FLUSH : Z_NO_FLUSH;
}

// libdeflate does not tell: its sizes as measured, rounded up; a test holds them.
uint64_t libdeflate_memory(int level) noexcept {
    constexpr uint64_t kKiB = 1024;
    if (level == 1) return 256 * kKiB;
    return level < 10 ? 768 * kKiB : 9 * 1024 * kKiB; // from 10 on it keeps all matches of a block
}

[[noreturn]] void throw_no_memory() {
    throw bk::Error(BK_E_NO_MEMORY, "no memory to compress with gzip",
                    "lower the level, or the number of workers");
}

} // namespace

void MemberCompressor::FreeWhole::operator()(libdeflate_compressor* compressor) const noexcept {
    libdeflate_free_compressor(compressor);
}

void MemberCompressor::FreeStream::operator()(z_stream_s* stream) const noexcept {
    deflateEnd(stream);
    delete stream;
}

MemberCompressor::MemberCompressor(int level)
    : level_(level), whole_(libdeflate_alloc_compressor(level)) {
    if (whole_ == nullptr) throw_no_memory();
}

bk_status MemberCompressor::process(bk_in& in, bk_out& out, bk::Op op) {
    if (broken_) throw bk::Error(BK_E_INVALID, "gzip: called again after a failure");
    if (op == bk::Op::frame)
        throw bk::Error(BK_E_INVALID, "gzip: frames are found in reverse only");
    const bool finish = op == bk::Op::finish;
    if (last_input_ && (!finish || in.len - in.pos != *last_input_)) {
        broken_ = true;
        throw bk::Error(BK_E_INVALID, "gzip: the input changed after its end was announced");
    }
    if (!in_member_) {
        if (finish && compress_whole(in, out)) return BK_END;
        begin_member();
    }
    const bk_status status = stream(in, out, op);
    last_input_.reset();
    if (finish && status == BK_NEED_OUTPUT) last_input_ = in.len - in.pos;
    return status;
}

// True when the member fitted; false, with nothing done, when there is too little room to be sure.
bool MemberCompressor::compress_whole(bk_in& in, bk_out& out) {
    const size_t size = in.len - in.pos;
    const size_t room = out.cap - out.pos;
    if (room < libdeflate_gzip_compress_bound(whole_.get(), size)) return false;
    static constexpr uint8_t kNothing = 0; // an empty input may come without an address
    const uint8_t* from = size == 0 ? &kNothing : in.data + in.pos;
    out.pos += libdeflate_gzip_compress(whole_.get(), from, size, out.data + out.pos, room);
    in.pos = in.len;
    return true;
}

void MemberCompressor::begin_member() {
    if (stream_ == nullptr) {
        buffer_.resize(kBuffer);
        auto fresh = std::make_unique<z_stream_s>();
        if (deflateInit2(fresh.get(), std::min(level_, kZlibBest), Z_DEFLATED, kGzipWindow,
                         MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY) != Z_OK)
            throw_no_memory();
        stream_.reset(fresh.release());
    } else {
        deflateReset(stream_.get());
    }
    in_member_ = true;
    flushed_ = ended_ = false;
}

bk_status MemberCompressor::stream(bk_in& in, bk_out& out, bk::Op op) {
    while (drain(out)) {
        if (ended_) {
            in_member_ = false;
            return BK_END;
        }
        const bool all_taken = in.pos == in.len;
        if (all_taken && (op == bk::Op::run || (op == bk::Op::flush && flushed_))) {
            flushed_ = false;
            return BK_OK;
        }
        deflate_piece(in, op);
    }
    return BK_NEED_OUTPUT;
}

void MemberCompressor::deflate_piece(bk_in& in, bk::Op op) {
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    const size_t size = std::min(in.len - in.pos, kMost);
    const bool all = size == in.len - in.pos;
    stream_->next_in = const_cast<Bytef*>(in.data + in.pos); // zlib does not write there
    stream_->avail_in = static_cast<uInt>(size);
    stream_->next_out = buffer_.data();
    stream_->avail_out = kBuffer;
    const int result = deflate(stream_.get(), all ? flush_mode(op) : Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) { // that: nothing to do
        broken_ = true;
        throw bk::Error(BK_E_INTERNAL, "zlib cannot compress: " + std::to_string(result));
    }
    in.pos += size - stream_->avail_in;
    given_ = 0;
    filled_ = kBuffer - stream_->avail_out;
    ended_ = result == Z_STREAM_END;
    flushed_ = op == bk::Op::flush && all && stream_->avail_in == 0 && stream_->avail_out > 0;
}

bool MemberCompressor::drain(bk_out& out) noexcept {
    const size_t size = std::min(out.cap - out.pos, filled_ - given_);
    if (size > 0) std::memcpy(out.data + out.pos, buffer_.data() + given_, size);
    out.pos += size;
    given_ += size;
    return given_ == filled_;
}

uint64_t MemberCompressor::memory(int level) noexcept {
    constexpr uint64_t kZlib = 268 * 1024 + kBuffer; // zconf.h, and our buffer
    return sizeof(MemberCompressor) + libdeflate_memory(level) + kZlib;
}

} // namespace gzip_plugin
