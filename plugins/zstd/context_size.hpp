// What a zstd context costs. Apart from the codecs because only this needs the part of zstd.h that
// is outside its stable interface.
#pragma once

#include "settings.hpp"

#include <cstdint>

namespace zstd_plugin {

/// Bytes of a compression context, an upper bound for frames of up to `frame_size` bytes that are
/// given whole. 0: a frame of unknown size. Thread-safe.
[[nodiscard]] uint64_t compressor_size(const Settings& settings, uint64_t frame_size) noexcept;

/// Bytes of a decompression context, an upper bound for frames of up to `frame_size` plain bytes.
/// 0: a frame of unknown size. Thread-safe.
[[nodiscard]] uint64_t decompressor_size(uint64_t frame_size) noexcept;

} // namespace zstd_plugin
