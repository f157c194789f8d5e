// Works line by line: the header ends with the line that begins with "---".
#include "header_reader.hpp"

#include "header.hpp"

#include <bkhost/sealed_chunks.hpp>

#include <algorithm>
#include <string_view>

namespace age_plugin {
namespace {
constexpr std::string_view kArmor = "-----BEGIN AGE ENCRYPTED FILE-----";

bool agree(std::string_view a, std::string_view b) {
    const size_t size = std::min(a.size(), b.size());
    return a.substr(0, size) == b.substr(0, size);
}
} // namespace

bool HeaderReader::take(bk_in& in) {
    while (!text_whole_) {
        if (in.pos == in.len) return false;
        take_piece_of_line(in);
    }
    return bk::collect(nonce_, sizeof(PayloadNonce), in);
}

void HeaderReader::take_piece_of_line(bk_in& in) {
    const std::string_view rest(reinterpret_cast<const char*>(in.data + in.pos), in.len - in.pos);
    const size_t end = rest.find('\n');
    const size_t size = end == std::string_view::npos ? rest.size() : end + 1;
    if (size > kMaxHeader - text_.size()) throw_damaged_header("it is longer than 64 KiB");
    text_ += rest.substr(0, size);
    in.pos += size;
    check_start();
    if (end == std::string_view::npos) return;
    text_whole_ = std::string_view(text_).substr(line_start_).starts_with("---");
    line_start_ = text_.size();
}

void HeaderReader::check_start() const {
    if (agree(text_, kMagic)) return;
    if (!agree(text_, kArmor))
        throw bk::Error(BK_E_CORRUPT,
                        "not an age file, or the age header is damaged: its first line",
                        "check that the object is the one that was written");
    if (text_.size() >= kArmor.size())
        throw bk::Error(BK_E_UNSUPPORTED, "the age file is armored (text), only binary is read",
                        "decrypt it with age -d, which reads both");
}

PayloadNonce HeaderReader::nonce() const {
    PayloadNonce nonce;
    std::copy(nonce_.begin(), nonce_.end(), nonce.begin());
    return nonce;
}

} // namespace age_plugin
