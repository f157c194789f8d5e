// The plugin "zstd": options, the driver's tables and the module. The codec is in frame_*.cpp.
#include "context_size.hpp"
#include "frame_compressor.hpp"
#include "frame_decompressor.hpp"

#include <bkhost/transform.hpp>

#include <array>
#include <memory>
#include <string_view>

namespace {

using namespace zstd_plugin;

constexpr std::array kOptions = {
    bk::option("level", BK_OPT_INT, "compression level: 1 is fastest, 22 smallest", "3", "1..22",
               BK_OPT_URL_TARGET),
    bk::option("long", BK_OPT_BOOL,
               "look for repetitions further back, in frames of unknown size up to 128 MiB",
               "false"),
    bk::option("checksum", BK_OPT_BOOL, "a checksum of the plain content in each frame", "true"),
};

Settings read_settings(const bk::Config& config) noexcept {
    return {static_cast<int>(config.number("level")), config.flag("long"), config.flag("checksum")};
}

std::unique_ptr<bk::Transform> make_codec(const bk::Config& config, bk::Direction direction) {
    if (direction == bk::Direction::reverse) return std::make_unique<FrameDecompressor>();
    return std::make_unique<FrameCompressor>(read_settings(config));
}

/// The driver: a codec of the one direction or the other. Confined to one thread.
class Zstd final : public bk::Transform {
public:
    Zstd(bk::Host, bk::Config config, bk::Direction direction)
        : codec_(make_codec(config, direction)) {}

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        return codec_->process(in, out, op);
    }

    static uint64_t memory(bk::Config config, bk::Direction direction,
                           uint64_t frame_size) noexcept {
        const uint64_t context = direction == bk::Direction::reverse
                                     ? decompressor_size(frame_size)
                                     : compressor_size(read_settings(config), frame_size);
        return context + sizeof(Zstd) + sizeof(FrameCompressor) + sizeof(FrameDecompressor);
    }

private:
    std::unique_ptr<bk::Transform> codec_;
};

constexpr std::array<uint8_t, 4> kMagic = {0x28, 0xB5, 0x2F, 0xFD};
constexpr bk_transform_file kFile{sizeof(bk_transform_file), kMagic.size(), kMagic.data(), "zst",
                                  "zstd -d"};

const void* extension(const char* id) noexcept {
    return std::string_view(id) == BK_TRANSFORM_FILE_ID ? &kFile : nullptr;
}

constexpr bk::DriverInfo kInfo{.name = "zstd",
                               .summary = "Zstandard frames (RFC 8878)",
                               .options = kOptions,
                               .schemes = "zstd,zst"};
constexpr bk_component kZstd = bk::transform_component<Zstd>(BK_COMPRESSOR_ID, kInfo, &extension);

} // namespace

BK_MODULE("org.bkhost.zstd", "0.1.0", "Zstandard compression", "compressor:zstd:zstd,zst\n", &kZstd)
