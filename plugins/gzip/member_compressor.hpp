// Forward: one gzip member after the other.
#pragma once

#include <bkhost/transform.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

struct libdeflate_compressor;
struct z_stream_s;

namespace gzip_plugin {

/// Compresses; confined to one thread. A member that begins with FINISH and enough room is made by
/// libdeflate in one call; any other by zlib, which takes it in pieces. After a failure the
/// instance is done with: INVALID.
class MemberCompressor final : public bk::Transform {
public:
    explicit MemberCompressor(int level);
    bk_status process(bk_in& in, bk_out& out, bk::Op op) override;
    /// Bytes of an instance, an upper bound for members of any size. Thread-safe.
    [[nodiscard]] static uint64_t memory(int level) noexcept;

private:
    struct FreeWhole {
        void operator()(libdeflate_compressor* compressor) const noexcept;
    };
    struct FreeStream {
        void operator()(z_stream_s* stream) const noexcept;
    };
    bool compress_whole(bk_in& in, bk_out& out);
    void begin_member();
    bk_status stream(bk_in& in, bk_out& out, bk::Op op);
    void deflate_piece(bk_in& in, bk::Op op);
    bool drain(bk_out& out) noexcept;

    const int level_;
    std::unique_ptr<libdeflate_compressor, FreeWhole> whole_;
    std::unique_ptr<z_stream_s, FreeStream> stream_; // made when first needed
    std::vector<uint8_t> buffer_;                    // what zlib gave last: [given_, filled_)
    size_t given_ = 0, filled_ = 0;
    bool in_member_ = false;
    bool flushed_ = false;             // all that was taken is in the output or in buffer_
    bool ended_ = false;               // the whole member is
    std::optional<size_t> last_input_; // after FINISH: what of its input is still to be taken
    bool broken_ = false;
};

} // namespace gzip_plugin
