#include "core/archive/section_cutter.hpp"

#include "core/archive/index_records.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstring>

namespace bkhost {

SectionLedger::Entry& SectionLedger::begin(const SectionInfo& section) {
    const std::string name = "section " + std::to_string(section.number);
    const auto [found, is_new] = entries_.try_emplace(section.number, Entry{section, 0});
    if (!is_new && found->second.info != section)
        throw bk::Error(BK_E_CORRUPT, name + " is described twice, and not alike");
    if (section.phase < phase_)
        throw bk::Error(BK_E_CORRUPT, name + " goes back to an earlier phase");
    phase_ = section.phase;
    return found->second;
}

SectionCutter::SectionCutter(Read read, const std::string& nonce, size_t buffer)
    : read_(std::move(read)), nonce_(nonce), start_(marker_start(nonce)),
      buffer_(std::max(buffer, start_.size() + 1), '\0') {}

/// Makes room and reads on. Only a marker line that is longer than the buffer makes that grow.
void SectionCutter::fill() {
    if (pos_ > 0) std::memmove(buffer_.data(), buffer_.data() + pos_, size_ - pos_);
    size_ -= pos_;
    end_ -= pos_;
    pos_ = 0;
    if (size_ == buffer_.size()) {
        if (size_ > kIndexLineLimit)
            throw bk::Error(BK_E_CORRUPT, "a section marker is longer than any can be");
        buffer_.resize(size_ * 2);
    }
    const size_t got =
        read_({reinterpret_cast<uint8_t*>(buffer_.data()) + size_, buffer_.size() - size_});
    size_ += got;
    ended_ = got == 0;
}

/// The last bytes may be the beginning of a marker, as long as the stream goes on.
void SectionCutter::find_end() {
    const std::string_view text(buffer_.data(), size_);
    const size_t found = text.find(start_, end_);
    at_marker_ = found != std::string_view::npos;
    if (at_marker_)
        end_ = found;
    else if (ended_)
        end_ = size_;
    else
        end_ = std::max(end_, size_ - std::min(size_, start_.size() - 1));
}

bool SectionCutter::run_has_bytes() {
    while (pos_ == end_ && !at_marker_ && !ended_) {
        fill();
        find_end();
    }
    return pos_ < end_;
}

bool SectionCutter::next() {
    if (run_has_bytes()) throw bk::Error(BK_E_CORRUPT, "the dump has bytes of no section");
    if (!at_marker_) return false;
    size_t line_end = buffer_.find('\n', pos_);
    while (line_end == std::string::npos || line_end >= size_) {
        fill();
        if (ended_) throw bk::Error(BK_E_CORRUPT, "the dump ends within a section marker");
        line_end = buffer_.find('\n', pos_);
    }
    section_ =
        parse_section_marker(std::string_view(buffer_).substr(pos_, line_end - pos_), nonce_);
    pos_ = end_ = line_end + 1;
    find_end();
    return true;
}

size_t SectionCutter::read(std::span<uint8_t> buffer) {
    if (!run_has_bytes()) return 0;
    const size_t n = std::min(buffer.size(), end_ - pos_);
    std::memcpy(buffer.data(), buffer_.data() + pos_, n);
    pos_ += n;
    return n;
}

} // namespace bkhost
