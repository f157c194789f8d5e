// Reverse. A member that is wholly there, with room for its content, is left to libdeflate; any
// other, and one that libdeflate refuses, to zlib, which takes pieces and tells what is wrong.
#include "member_decompressor.hpp"

#include <libdeflate.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <string>

namespace gzip_plugin {
namespace {

constexpr int kGzipWindow = 15 + 16; // up to 32 KiB, and only a gzip wrapper: see inflateInit2
constexpr const char* kFetchAgain = "fetch the object again; if it is the same, use another copy";

[[noreturn]] void throw_no_memory() {
    throw bk::Error(BK_E_NO_MEMORY, "no memory to decompress gzip", "lower the number of workers");
}

} // namespace

void MemberDecompressor::FreeWhole::operator()(libdeflate_decompressor* whole) const noexcept {
    libdeflate_free_decompressor(whole);
}

void MemberDecompressor::FreeStream::operator()(z_stream_s* stream) const noexcept {
    inflateEnd(stream);
    delete stream;
}

MemberDecompressor::MemberDecompressor() : whole_(libdeflate_alloc_decompressor()) {
    auto fresh = std::make_unique<z_stream_s>();
    if (whole_ == nullptr || inflateInit2(fresh.get(), kGzipWindow) != Z_OK) throw_no_memory();
    stream_.reset(fresh.release());
}

bk_status MemberDecompressor::process(bk_in& in, bk_out& out, bk::Op op) {
    if (broken_) throw bk::Error(BK_E_INVALID, "gzip: called again after a failure");
    for (;;) {
        if (in.pos == in.len && (at_member_end_ || drained_)) break;
        if (out.pos == out.cap) return BK_NEED_OUTPUT;
        const bool whole = at_member_end_ && op == bk::Op::finish && decompress_whole(in, out);
        if (!whole) inflate_piece(in, out);
        if (!at_member_end_) continue;
        seen_member_ = true;
        if (op == bk::Op::frame) return BK_END;
    }
    return op == bk::Op::finish ? end_of_input() : BK_OK;
}

// True when the next member was taken; false, with nothing done, for zlib to look at it.
bool MemberDecompressor::decompress_whole(bk_in& in, bk_out& out) {
    size_t taken = 0, given = 0;
    if (libdeflate_gzip_decompress_ex(whole_.get(), in.data + in.pos, in.len - in.pos,
                                      out.data + out.pos, out.cap - out.pos, &taken,
                                      &given) != LIBDEFLATE_SUCCESS)
        return false;
    in.pos += taken;
    taken_ += taken;
    out.pos += given;
    return true;
}

void MemberDecompressor::inflate_piece(bk_in& in, bk_out& out) {
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    const size_t size = std::min(in.len - in.pos, kMost);
    const size_t room = std::min(out.cap - out.pos, kMost);
    if (at_member_end_) inflateReset(stream_.get());
    stream_->next_in = const_cast<Bytef*>(in.data + in.pos); // zlib does not write there
    stream_->avail_in = static_cast<uInt>(size);
    stream_->next_out = out.data + out.pos;
    stream_->avail_out = static_cast<uInt>(room);
    const int result = inflate(stream_.get(), Z_NO_FLUSH);
    in.pos += size - stream_->avail_in;
    taken_ += size - stream_->avail_in;
    out.pos += room - stream_->avail_out;
    drained_ = stream_->avail_out > 0;
    at_member_end_ = result == Z_STREAM_END;
    // Z_BUF_ERROR: neither input nor output to go on with
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) fail(result);
}

bk_status MemberDecompressor::end_of_input() {
    if (at_member_end_ && seen_member_) {
        seen_member_ = false;
        taken_ = 0;
        return BK_END;
    }
    broken_ = true;
    throw bk::Error(BK_E_CORRUPT,
                    "gzip data are truncated: they end inside a member, after " +
                        std::to_string(taken_) + " bytes",
                    kFetchAgain);
}

void MemberDecompressor::fail(int result) {
    broken_ = true;
    if (result == Z_MEM_ERROR) throw_no_memory();
    const std::string what = stream_->msg != nullptr ? stream_->msg : std::to_string(result);
    throw bk::Error(BK_E_CORRUPT,
                    "gzip data are damaged before byte " + std::to_string(taken_) + ": " + what,
                    kFetchAgain);
}

uint64_t MemberDecompressor::memory() noexcept {
    // libdeflate does not tell: its size as measured, rounded up; a test holds it. zlib's is its
    // window and some 8 KiB.
    constexpr uint64_t kWhole = 16 * 1024, kZlib = 48 * 1024;
    return sizeof(MemberDecompressor) + kWhole + kZlib;
}

} // namespace gzip_plugin
