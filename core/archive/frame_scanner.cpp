#include "core/archive/frame_scanner.hpp"

#include "core/archive/index_records.hpp"
#include "core/pipeline/memory_plan.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace bkhost {
namespace {
constexpr size_t kBuffer = 256 * 1024;
} // namespace

FrameScanner::FrameScanner(const ArchiveAccess& access, const ObjectRecord& record,
                           const DriverPtr& compressor, std::string marker)
    : object_("storage '" + access.storage.name() + "', object '" + access.folder + record.key +
              "'"),
      record_(record), marker_(std::move(marker)), reader_(access, record) {
    if (compressor) {
        codec_ = std::make_unique<Codec>(compressor, access.services, BK_REVERSE);
        buffer_.resize(kBuffer);
    }
    input_.resize(codec_ ? kBuffer : 2 * (kFrameTarget + marker_.size()));
}

void FrameScanner::corrupt(const std::string& what) const {
    throw bk::Error(BK_E_CORRUPT, object_ + " is damaged: " + what,
                    "reindex or restore the copy on another storage");
}

std::optional<FoundFrame> FrameScanner::next() {
    frame_.packed_offset += frame_.packed_length;
    frame_.packed_length = 0;
    if (!(codec_ ? next_packed() : next_stored())) {
        if (plain_size_ != record_.plain_size)
            corrupt("its plain stream has another length than the manifest says");
        return std::nullopt;
    }
    plain_size_ += frame_.plain.size();
    return frame_;
}

/// Puts more behind what is not used yet.
void FrameScanner::refill() {
    std::memmove(input_.data(), input_.data() + input_pos_, input_size_ - input_pos_);
    input_size_ -= input_pos_;
    input_pos_ = 0;
    const std::span<uint8_t> room = std::span(input_).subspan(input_size_);
    const size_t got = reader_.read(room);
    input_size_ += got;
    input_end_ = got < room.size();
    if (input_end_) reader_.check_end();
}

bool FrameScanner::next_packed() {
    decoded_.clear();
    const Codec::Output keep = [this](std::span<const uint8_t> bytes) {
        decoded_.insert(decoded_.end(), bytes.begin(), bytes.end());
        if (decoded_.size() > kFrameLimit) corrupt("a frame is larger than any can be");
    };
    try {
        for (;;) {
            if (input_pos_ == input_size_ && !input_end_) refill();
            if (input_pos_ == input_size_) {
                codec_->run({}, BK_FINISH, buffer_, keep); // CORRUPT within a frame
                return false;
            }
            const Codec::FramePart part = codec_->frame_part(
                std::span(input_).subspan(input_pos_, input_size_ - input_pos_), buffer_, keep);
            input_pos_ += part.taken;
            frame_.packed_length += part.taken;
            if (part.ended) break;
        }
    } catch (const bk::Error& error) {
        if (error.status() == BK_E_CORRUPT && error.hint().empty()) corrupt(error.what());
        throw;
    }
    if (decoded_.empty()) corrupt("a frame is empty");
    frame_.plain = decoded_;
    return true;
}

bool FrameScanner::next_stored() {
    size_t cut = 0;
    for (;;) {
        const size_t there = input_size_ - input_pos_;
        const std::string_view text(reinterpret_cast<const char*>(input_.data()) + input_pos_,
                                    there);
        const size_t found = marker_.empty() ? std::string_view::npos : text.find(marker_, 1);
        cut = std::min({found, there, size_t{kFrameTarget}});
        // A marker that begins before the cut would be seen whole, unless the bytes end there.
        if (input_end_ || cut == found || there >= kFrameTarget + marker_.size()) break;
        refill();
    }
    if (cut == 0) return false;
    frame_.plain = std::span(input_).subspan(input_pos_, cut);
    frame_.packed_length = cut;
    input_pos_ += cut;
    return true;
}

} // namespace bkhost
