// The plugin "gzip": options, the driver's tables and the module. The codec is in member_*.cpp.
#include "member_compressor.hpp"
#include "member_decompressor.hpp"

#include <bkhost/transform.hpp>

#include <array>
#include <memory>
#include <string_view>

namespace {

using namespace gzip_plugin;

constexpr std::array kOptions = {
    bk::option("level", BK_OPT_INT, "compression level: 1 is fastest, 12 smallest", "4", "1..12",
               BK_OPT_URL_TARGET),
};

int level_of(const bk::Config& config) noexcept { return static_cast<int>(config.number("level")); }

std::unique_ptr<bk::Transform> make_codec(const bk::Config& config, bk::Direction direction) {
    if (direction == bk::Direction::reverse) return std::make_unique<MemberDecompressor>();
    return std::make_unique<MemberCompressor>(level_of(config));
}

/// The driver: a codec of the one direction or the other. Confined to one thread.
class Gzip final : public bk::Transform {
public:
    Gzip(bk::Host, bk::Config config, bk::Direction direction)
        : codec_(make_codec(config, direction)) {}

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        return codec_->process(in, out, op);
    }

    static uint64_t memory(bk::Config config, bk::Direction direction, uint64_t) noexcept {
        const uint64_t codec = direction == bk::Direction::reverse
                                   ? MemberDecompressor::memory()
                                   : MemberCompressor::memory(level_of(config));
        return sizeof(Gzip) + codec;
    }

private:
    std::unique_ptr<bk::Transform> codec_;
};

constexpr std::array<uint8_t, 3> kMagic = {0x1F, 0x8B, 0x08}; // RFC 1952: ID1, ID2, deflate
constexpr bk_transform_file kFile{sizeof(bk_transform_file), kMagic.size(), kMagic.data(), "gz",
                                  "gzip -d"};

const void* extension(const char* id) noexcept {
    return std::string_view(id) == BK_TRANSFORM_FILE_ID ? &kFile : nullptr;
}

constexpr bk::DriverInfo kInfo{.name = "gzip",
                               .summary = "gzip members (RFC 1952)",
                               .options = kOptions,
                               .schemes = "gzip,gz"};
constexpr bk_component kGzip = bk::transform_component<Gzip>(BK_COMPRESSOR_ID, kInfo, &extension);

} // namespace

BK_MODULE("org.bkhost.gzip", "0.1.0", "gzip compression", "compressor:gzip:gzip,gz\n", &kGzip)
