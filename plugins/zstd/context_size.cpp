// Estimates by libzstd itself, from the parameters that it will choose for the frame size. The
// estimate functions are outside the stable part of its interface, though every 1.x library has
// them with these signatures.
#define ZSTD_STATIC_LINKING_ONLY
#include "context_size.hpp"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace zstd_plugin {
namespace {

constexpr uint64_t kMaxWindow = uint64_t{1} << kMaxWindowLog;

struct FreeParams {
    void operator()(ZSTD_CCtx_params* params) const noexcept { ZSTD_freeCCtxParams(params); }
};

// Tables of the long-distance matcher for a window of that log; libzstd's estimate leaves them out
// because it sizes them later. Hash log = window log - 7, entries of 8 bytes, a byte for each
// bucket, and the sequences of one block.
uint64_t long_distance_tables(int window_log) noexcept {
    const int hash_log = std::max(window_log - 7, 6);
    return (uint64_t{9} << hash_log) + 64 * 1024;
}

int log_of(uint64_t size) noexcept {
    int log = 10;
    while (log < kMaxWindowLog && (uint64_t{1} << log) < size)
        ++log;
    return log;
}

uint64_t size_for(const Settings& settings, uint64_t frame_size) noexcept {
    const bool known = frame_size != 0 && frame_size <= kMaxWindow;
    const std::unique_ptr<ZSTD_CCtx_params, FreeParams> params(ZSTD_createCCtxParams());
    if (params == nullptr) return ZSTD_estimateCStreamSize(settings.level);
    ZSTD_CCtxParams_init(params.get(), settings.level);
    if (settings.long_distance)
        ZSTD_CCtxParams_setParameter(params.get(), ZSTD_c_windowLog, kMaxWindowLog);
    if (known)
        ZSTD_CCtxParams_setParameter(params.get(), ZSTD_c_srcSizeHint,
                                     static_cast<int>(frame_size));
    uint64_t size = ZSTD_estimateCStreamSize_usingCCtxParams(params.get());
    if (settings.long_distance)
        size += long_distance_tables(known ? log_of(frame_size) : kMaxWindowLog);
    return size;
}

} // namespace

uint64_t compressor_size(const Settings& settings, uint64_t frame_size) noexcept {
    // libzstd has a table of parameters for each of these source sizes; that of a smaller one may
    // ask for more.
    constexpr std::array<uint64_t, 3> kTiers = {16 * 1024, 128 * 1024, 256 * 1024};
    uint64_t size = size_for(settings, frame_size);
    for (const uint64_t tier : kTiers)
        if (frame_size == 0 || tier < frame_size) size = std::max(size, size_for(settings, tier));
    return size;
}

uint64_t decompressor_size(uint64_t frame_size) noexcept {
    const uint64_t window =
        frame_size == 0 ? kMaxWindow : std::clamp<uint64_t>(frame_size, 1024, kMaxWindow);
    return ZSTD_estimateDStreamSize(window);
}

} // namespace zstd_plugin
