// Reverse: gzip members laid end to end.
#pragma once

#include <bkhost/transform.hpp>

#include <cstdint>
#include <memory>

struct libdeflate_decompressor;
struct z_stream_s;

namespace gzip_plugin {

/// Decompresses; confined to one thread. FINISH gives END where a member ends, and CORRUPT inside
/// one or when there was no member at all; FRAME stops behind each. A failure leaves it done with:
/// INVALID afterwards.
class MemberDecompressor final : public bk::Transform {
public:
    MemberDecompressor();
    bk_status process(bk_in& in, bk_out& out, bk::Op op) override;
    /// Bytes of an instance, an upper bound. Thread-safe.
    [[nodiscard]] static uint64_t memory() noexcept;

private:
    struct FreeWhole {
        void operator()(libdeflate_decompressor* decompressor) const noexcept;
    };
    struct FreeStream {
        void operator()(z_stream_s* stream) const noexcept;
    };
    bool decompress_whole(bk_in& in, bk_out& out);
    void inflate_piece(bk_in& in, bk_out& out);
    bk_status end_of_input();
    [[noreturn]] void fail(int result);

    std::unique_ptr<libdeflate_decompressor, FreeWhole> whole_;
    std::unique_ptr<z_stream_s, FreeStream> stream_;
    bool at_member_end_ = true;
    bool drained_ = true; // nothing waits inside for room
    bool seen_member_ = false;
    bool broken_ = false;
    uint64_t taken_ = 0; // stored bytes since the last END of FINISH
};

} // namespace gzip_plugin
