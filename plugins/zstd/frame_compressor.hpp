// Forward: one zstd frame after the other.
#pragma once

#include "settings.hpp"

#include <bkhost/transform.hpp>

#include <cstddef>
#include <memory>
#include <optional>

struct ZSTD_CCtx_s;

namespace zstd_plugin {

/// Compresses; confined to one thread. A frame that begins with FINISH has its content size in its
/// header and a window no wider than itself. After a failure the instance is done with: INVALID.
class FrameCompressor final : public bk::Transform {
public:
    explicit FrameCompressor(const Settings& settings);
    bk_status process(bk_in& in, bk_out& out, bk::Op op) override;

private:
    struct Free {
        void operator()(ZSTD_CCtx_s* context) const noexcept;
    };
    bool compress_whole(bk_in& in, bk_out& out);
    size_t checked(size_t result);
    void end_frame();

    std::unique_ptr<ZSTD_CCtx_s, Free> context_;
    bool in_frame_ = false;
    std::optional<size_t> last_input_; // after FINISH: what of its input is still to be taken
    bool broken_ = false;
};

} // namespace zstd_plugin
