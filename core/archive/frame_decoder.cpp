#include "core/archive/frame_decoder.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>

#include <cstring>

namespace bkhost {
namespace {

/// What is wrong with the packed bytes, or "".
std::string unpack(Codec& codec, std::span<const uint8_t> packed, std::span<uint8_t> plain) {
    bk_in in{packed.data(), packed.size(), 0};
    bk_out out{plain.data(), plain.size(), 0};
    uint8_t beyond = 0; // room for a byte too many, so that too long a frame shows itself
    try {
        bk_status status = codec.process(in, out, BK_FINISH);
        while (status == BK_NEED_OUTPUT) {
            bk_out over{&beyond, 1, 0};
            status = codec.process(in, out.pos < out.cap ? out : over, BK_FINISH);
            if (over.pos > 0) return "it is longer than the index says";
        }
        const bool whole = status == BK_END && out.pos == plain.size() && in.pos == in.len;
        return whole ? "" : "its length differs";
    } catch (const bk::Error& error) {
        if (is_damage(error)) return error.what();
        throw;
    }
}

} // namespace

const ObjectRecord& volume_of(const Manifest& manifest, const IndexFrame& frame) {
    if (frame.component >= manifest.components.size() ||
        frame.volume >= manifest.components[frame.component].volumes.size())
        throw bk::Error(BK_E_CORRUPT, "the index names volume " + std::to_string(frame.volume) +
                                          ", which the manifest does not have");
    if (frame.packed_length > kFrameLimit || frame.plain_length > kFrameLimit)
        throw bk::Error(BK_E_CORRUPT,
                        "frame " + std::to_string(frame.number) + " is larger than a frame can be");
    return manifest.components[frame.component].volumes[frame.volume];
}

FrameDecoder::FrameDecoder(const DriverPtr& compressor, const Services& services) {
    if (compressor) codec_ = std::make_unique<Codec>(compressor, services, BK_REVERSE);
}

void FrameDecoder::decode(std::span<const uint8_t> packed, std::span<uint8_t> plain,
                          const std::string& checksum, uint64_t number, const std::string& object) {
    const auto corrupt = [&](const std::string& why) {
        throw bk::Error(BK_E_CORRUPT,
                        object + ": frame " + std::to_string(number) + " is damaged: " + why,
                        "restore from another storage, or an older backup");
    };
    if (codec_) {
        const std::string wrong = unpack(*codec_, packed, plain);
        if (!wrong.empty()) corrupt(wrong);
    } else {
        if (packed.size() != plain.size()) corrupt("its length differs");
        std::memcpy(plain.data(), packed.data(), plain.size());
    }
    if (xxh3_hex(plain) != checksum) corrupt("its checksum differs");
}

} // namespace bkhost
