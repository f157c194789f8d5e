// Reverse: zstd frames laid end to end.
#pragma once

#include <bkhost/transform.hpp>

#include <cstdint>
#include <memory>

struct ZSTD_DCtx_s;

namespace zstd_plugin {

/// Decompresses; confined to one thread. FINISH gives END where a frame ends, and CORRUPT inside
/// one or when there was no frame at all; FRAME stops behind each, a skippable one too. A failure
/// leaves it done with: INVALID afterwards.
class FrameDecompressor final : public bk::Transform {
public:
    FrameDecompressor();
    bk_status process(bk_in& in, bk_out& out, bk::Op op) override;

private:
    struct Free {
        void operator()(ZSTD_DCtx_s* context) const noexcept;
    };
    size_t checked(size_t result);
    bk_status end_of_input();

    std::unique_ptr<ZSTD_DCtx_s, Free> context_;
    bool at_frame_end_ = true;
    bool drained_ = true; // nothing waits inside for room
    bool seen_frame_ = false;
    bool broken_ = false;
    uint64_t taken_ = 0; // stored bytes since the last END of FINISH
};

} // namespace zstd_plugin
