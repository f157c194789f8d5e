#include "core/archive/plain_reader.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {
constexpr size_t kBuffer = 256 * 1024;
} // namespace

PlainReader::PlainReader(const ArchiveAccess& access, const ObjectRecord& record,
                         const DriverPtr& compressor)
    : object_("storage '" + access.storage.name() + "', object '" + access.folder + record.key +
              "'"),
      plain_size_(record.plain_size), reader_(access, record) {
    if (!compressor) return;
    codec_ = std::make_unique<Codec>(compressor, access.services, BK_REVERSE);
    packed_.resize(kBuffer);
}

void PlainReader::corrupt(const std::string& what) const {
    throw bk::Error(BK_E_CORRUPT, object_ + " is damaged: " + what,
                    "restore from another storage, or an older backup");
}

size_t PlainReader::read(std::span<uint8_t> buffer) {
    size_t done = 0;
    while (done < buffer.size() && !ended_) {
        const std::span<uint8_t> room = buffer.subspan(done);
        done += codec_ ? decode(room) : copy(room);
    }
    given_ += done;
    if (given_ > plain_size_ || (ended_ && given_ < plain_size_))
        corrupt("its plain stream has another length than the manifest says");
    return done;
}

size_t PlainReader::copy(std::span<uint8_t> room) {
    const size_t got = reader_.read(room);
    ended_ = got < room.size();
    if (ended_) reader_.check_end();
    return got;
}

void PlainReader::refill() {
    packed_size_ = reader_.read(packed_);
    packed_pos_ = 0;
    source_end_ = packed_size_ < packed_.size();
    if (source_end_) reader_.check_end();
}

size_t PlainReader::decode(std::span<uint8_t> room) {
    if (packed_pos_ == packed_size_ && !source_end_) refill();
    bk_in in{packed_.data(), packed_size_, packed_pos_};
    bk_out out{room.data(), room.size(), 0};
    bk_status status = BK_OK;
    try {
        status = codec_->process(in, out, source_end_ ? BK_FINISH : BK_RUN);
    } catch (const bk::Error& e) {
        if (is_damage(e)) corrupt(e.what());
        throw;
    }
    const bool stands = out.pos == 0 && in.pos == packed_pos_;
    packed_pos_ = in.pos;
    ended_ = source_end_ && status == BK_END && packed_pos_ == packed_size_;
    if (stands && !ended_ && (source_end_ || packed_pos_ < packed_size_))
        throw bk::Error(BK_E_INTERNAL, object_ + ": the codec makes no progress");
    return out.pos;
}

size_t DumpReader::read(std::span<uint8_t> buffer) {
    size_t done = 0;
    while (done < buffer.size() && (volume_ || next_ < component_.volumes.size())) {
        if (!volume_)
            volume_ =
                std::make_unique<PlainReader>(access_, component_.volumes[next_++], compressor_);
        const size_t got = volume_->read(buffer.subspan(done));
        if (got == 0) volume_.reset();
        done += got;
    }
    return done;
}

} // namespace bkhost
