#include "core/pipeline/compress_pool.hpp"

#include "core/base/digest.hpp"
#include "core/pipeline/memory_plan.hpp"

#include <atomic>
#include <cstring>
#include <memory>

namespace bkhost {
namespace {

void pack(Frame& frame, Codec* codec, PackedFrame& packed) {
    const std::span<const uint8_t> plain(frame.data.get(), frame.size);
    if (packed.data.size() < packed_bound(plain.size()))
        packed.data.resize(packed_bound(plain.size()));
    packed.seq = frame.seq;
    packed.more = frame.more;
    packed.plain_size = plain.size();
    packed.checksum = xxh3_hex(plain);
    packed.segments = std::move(frame.segments);
    if (codec != nullptr) {
        packed.size = codec->frame(plain, packed.data);
    } else {
        std::memcpy(packed.data.data(), plain.data(), plain.size());
        packed.size = plain.size();
    }
}

} // namespace

void start_compressors(Crew& crew, unsigned workers, const DriverPtr& compressor,
                       const Services& services, FrameFlow& in, PackedFlow& out) {
    auto left = std::make_shared<std::atomic<unsigned>>(workers); // shared by the threads alone
    for (unsigned i = 0; i < workers; ++i)
        crew.start([&in, &out, &services, compressor, left] {
            std::unique_ptr<Codec> codec;
            if (compressor) codec = std::make_unique<Codec>(compressor, services, BK_FORWARD);
            for (;;) {
                PackedPtr packed = out.acquire(); // before the frame: see frame_flow.hpp
                FramePtr frame = in.next();
                if (!frame) {
                    out.recycle(std::move(packed)); // the other compressors may still need it
                    if (left->fetch_sub(1) == 1) out.close();
                    return;
                }
                pack(*frame, codec.get(), *packed);
                in.recycle(std::move(frame));
                out.put(std::move(packed));
            }
        });
}

} // namespace bkhost
