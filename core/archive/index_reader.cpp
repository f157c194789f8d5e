#include "core/archive/index_reader.hpp"

#include <bkhost/error.hpp>

namespace bkhost {
namespace {
constexpr size_t kBuffer = 256 * 1024;
const char* const kHint =
    "another copy may be whole; without one, 'bkhost restore --sequential' needs no index, and "
    "'bkhost reindex' makes it anew";
} // namespace

/// Whatever is wrong with the object, the same can be done about it.
template <class Body>
auto IndexReader::hinted(Body&& body) const {
    try {
        return body();
    } catch (const bk::Error& e) {
        if (e.status() != BK_E_CORRUPT && e.status() != BK_E_NOT_FOUND) throw;
        throw bk::Error(e.status(), e.what(), kHint);
    }
}

IndexReader::IndexReader(const ArchiveAccess& access, const Manifest& manifest,
                         const DriverPtr& compressor)
    : object_("storage '" + access.storage.name() + "', object '" + access.folder +
              manifest.index.key + "'"),
      audit_(manifest), reader_(hinted([&] {
          return std::make_unique<PlainReader>(access, manifest.index, compressor);
      })) {}

void IndexReader::corrupt(const std::string& what) const {
    throw bk::Error(BK_E_CORRUPT, object_ + ": the index is damaged: " + what, kHint);
}

/// Appends more plain text; false at the end.
bool IndexReader::fill() {
    const size_t before = pending_.size();
    pending_.resize(before + kBuffer);
    const size_t got = hinted([&] {
        return reader_->read({reinterpret_cast<uint8_t*>(pending_.data()) + before, kBuffer});
    });
    pending_.resize(before + got);
    return got > 0;
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
