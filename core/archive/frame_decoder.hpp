// One packed frame into its plain bytes, held to what the index says of it.
#pragma once

#include "core/archive/index_records.hpp"
#include "core/archive/manifest.hpp"
#include "core/driver/codec.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace bkhost {

/// The object that holds the frame. Throws CORRUPT when the manifest does not have it, or when the
/// frame is larger than a frame can be.
[[nodiscard]] const ObjectRecord& volume_of(const Manifest& manifest, const IndexFrame& frame);

/// Confined to one thread.
class FrameDecoder {
public:
    /// `compressor` none: frames are stored as they are.
    FrameDecoder(const DriverPtr& compressor, const Services& services);
    /// Fills `plain`, which has the frame's plain length. Throws CORRUPT, naming `object` and the
    /// frame, when the packed bytes cannot be decoded, or length or checksum differ.
    void decode(std::span<const uint8_t> packed, std::span<uint8_t> plain,
                const std::string& checksum, uint64_t number, const std::string& object);

private:
    std::unique_ptr<Codec> codec_;
};

} // namespace bkhost
