#include "core/archive/index_builder.hpp"

#include "core/base/digest.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace bkhost {
namespace {
constexpr RowSum kUncounted{.digest_known = false, .counted = false};
} // namespace

IndexBuilder::IndexBuilder(const ComponentRecord& component, Add add)
    : nonce_(component.marker), start_(nonce_.empty() ? "" : marker_start(nonce_)),
      format_(component.format), add_(std::move(add)) {
    add_(IndexComponent{0, component.name});
}

void IndexBuilder::frame(const FoundFrame& found) {
    IndexFrame frame;
    frame.number = frames_;
    frame.volume = volume_.number;
    frame.plain_offset = volume_.plain;
    frame.plain_length = found.plain.size();
    frame.packed_offset = found.packed_offset;
    frame.packed_length = found.packed_length;
    frame.checksum = xxh3_hex(found.plain);
    if (nonce_.empty()) {
        if (open_ == nullptr) {
            SectionInfo whole;
            whole.phase = BK_PHASE_DATA;
            whole.ordered = true;
            whole.kind = format_;
            open(whole);
        }
        add_segment(frame, 0, frame.plain_length, held_.has_value());
    } else {
        divide(frame, {reinterpret_cast<const char*>(found.plain.data()), found.plain.size()});
    }
    ++frames_;
    plain_size_ += frame.plain_length;
    ++volume_.frames;
    volume_.plain += frame.plain_length;
    volume_.packed += frame.packed_length;
    hold_back(std::move(frame));
}

void IndexBuilder::divide(IndexFrame& frame, std::string_view text) {
    size_t at = std::min(text.find(start_), text.size());
    if (at > 0) {
        if (!held_)
            throw bk::Error(BK_E_CORRUPT, "volume " + std::to_string(volume_.number) +
                                              " does not begin with a section marker");
        add_segment(frame, 0, at, true);
    }
    while (at < text.size()) {
        const size_t line_end = text.find('\n', at);
        if (line_end == std::string_view::npos)
            throw bk::Error(BK_E_CORRUPT, "frame " + std::to_string(frame.number) +
                                              " ends within a section marker");
        open(parse_section_marker(text.substr(at, line_end - at), nonce_));
        at = std::min(text.find(start_, line_end), text.size());
        add_segment(frame, line_end + 1, at, false);
    }
}

void IndexBuilder::open(const SectionInfo& section) {
    const size_t known = ledger_.entries().size();
    open_ = &ledger_.begin(section);
    if (ledger_.entries().size() > known) add_(section);
}

void IndexBuilder::add_segment(IndexFrame& frame, uint64_t begin, uint64_t end, bool continued) {
    frame.segments.push_back({open_->info.number, begin, end - begin, open_->bytes, kUncounted,
                              open_->bytes == 0, continued});
    open_->bytes += end - begin;
}

void IndexBuilder::hold_back(IndexFrame frame) {
    if (held_) {
        held_->more = frame.segments.front().continued;
        add_(*held_);
    }
    held_ = std::move(frame);
}

void IndexBuilder::end_volume() {
    if (held_) add_(*held_);
    held_.reset();
    add_(volume_);
    volume_ = {.number = volume_.number + 1};
}

void IndexBuilder::finish() {
    for (const auto& [number, section] : ledger_.entries())
        add_(IndexTotal{number, section.bytes, kUncounted});
    add_(IndexEnd{frames_, ledger_.entries().size(), plain_size_});
}

} // namespace bkhost
