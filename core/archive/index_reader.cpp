#include "core/archive/index_reader.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {
constexpr size_t kBuffer = 256 * 1024;
} // namespace

IndexReader::IndexReader(const ArchiveAccess& access, const Manifest& manifest,
                         const DriverPtr& compressor)
    : object_("storage '" + access.storage.name() + "', object '" + access.folder +
              manifest.index.key + "'"),
      audit_(manifest), object_reader_(access, manifest.index, 0, manifest.index.packed_size),
      packed_(kBuffer), plain_(kBuffer) {
    if (compressor) codec_ = std::make_unique<Codec>(compressor, access.services, BK_REVERSE);
}

void IndexReader::corrupt(const std::string& what) const {
    throw bk::Error(
        BK_E_CORRUPT, object_ + ": the index is damaged: " + what,
        "the volumes alone can still be decoded by hand: see core/FORMAT.md, section 8");
}

/// Appends more plain text; false at the end.
bool IndexReader::fill() {
    if (ended_) return false;
    if (packed_pos_ == packed_size_ && !source_end_) {
        packed_size_ = object_reader_.read(packed_);
        packed_pos_ = 0;
        source_end_ = packed_size_ < packed_.size();
        if (source_end_) object_reader_.check_end();
    }
    if (!codec_) {
        pending_.append(reinterpret_cast<const char*>(packed_.data()), packed_size_);
        packed_pos_ = packed_size_;
        ended_ = source_end_;
        return packed_size_ > 0;
    }
    bk_in in{packed_.data(), packed_size_, packed_pos_};
    bk_out out{plain_.data(), plain_.size(), 0};
    bk_status status = BK_OK;
    try {
        status = codec_->process(in, out, source_end_ ? BK_FINISH : BK_RUN);
    } catch (const bk::Error& e) {
        if (is_damage(e)) corrupt(e.what());
        throw;
    }
    packed_pos_ = in.pos;
    pending_.append(reinterpret_cast<const char*>(plain_.data()), out.pos);
    ended_ = source_end_ && status == BK_END && packed_pos_ == packed_size_;
    return true;
}

bool IndexReader::next_line(std::string& line) {
    size_t from = pending_pos_;
    for (;;) {
        const size_t end = pending_.find('\n', from);
        if (end != std::string::npos) {
            line.assign(pending_, pending_pos_, end - pending_pos_);
            pending_pos_ = end + 1;
            return true;
        }
        pending_.erase(0, pending_pos_);
        pending_pos_ = 0;
        from = pending_.size();
        if (pending_.size() > kIndexLineLimit) corrupt("a line is longer than any can be");
        if (!fill()) {
            if (!pending_.empty()) corrupt("its last line is cut");
            return false;
        }
    }
}

std::optional<IndexRecord> IndexReader::next() {
    std::string line;
    for (;;) {
        if (!next_line(line)) {
            if (!audit_.ended()) corrupt("it is truncated");
            return std::nullopt;
        }
        try {
            IndexRecord record = parse_index_line(line);
            if (std::holds_alternative<IndexUnknown>(record)) continue;
            audit_.take(record);
            return record;
        } catch (const bk::Error& e) {
            if (e.status() == BK_E_CORRUPT && e.hint().empty()) corrupt(e.what());
            throw;
        }
    }
}

} // namespace bkhost
