// The header's grammar. Strict: only what the specification's ABNF allows is taken.
#include "header.hpp"

#include "base64.hpp"

#include <bkhost/error.hpp>

#include <algorithm>

namespace age_plugin {
namespace {

constexpr std::string_view kStanzaMark = "-> ";
constexpr std::string_view kMacMark = "---";
constexpr size_t kColumns = 64;

Digest header_mac(std::string_view authenticated, const FileKey& file_key) {
    return hmac_sha256(hkdf_sha256(file_key, {}, "header"), view(authenticated));
}

// Cuts the header into lines; each must end in a line feed.
class Lines {
public:
    explicit Lines(std::string_view text) : text_(text) {}
    std::string_view next() {
        const size_t end = text_.find('\n', pos_);
        if (end == std::string_view::npos) throw_damaged_header("a line does not end");
        const std::string_view line = text_.substr(pos_, end - pos_);
        pos_ = end + 1;
        return line;
    }
    [[nodiscard]] bool at(std::string_view mark) const {
        return text_.substr(pos_).starts_with(mark);
    }
    [[nodiscard]] bool at_end() const { return pos_ == text_.size(); }
    [[nodiscard]] size_t position() const { return pos_; }

private:
    std::string_view text_;
    size_t pos_ = 0;
};

std::vector<std::string> parse_arguments(std::string_view line) {
    std::vector<std::string> arguments;
    for (;;) {
        const size_t end = std::min(line.find(' '), line.size());
        const std::string_view argument = line.substr(0, end);
        const bool visible =
            std::all_of(argument.begin(), argument.end(), [](char c) { return c > 32 && c < 127; });
        if (argument.empty() || !visible) throw_damaged_header("a stanza's first line");
        arguments.emplace_back(argument);
        if (end == line.size()) return arguments;
        line.remove_prefix(end + 1);
    }
}

// Full lines, and a last one that is shorter, if need be empty.
std::vector<uint8_t> parse_body(Lines& lines) {
    std::string text;
    std::string_view line;
    do {
        line = lines.next();
        if (line.size() > kColumns) throw_damaged_header("a line is too long");
        text += line;
    } while (line.size() == kColumns);
    auto body = from_base64(text);
    if (!body) throw_damaged_header("a stanza's body is not base64");
    return *std::move(body);
}

Stanza parse_stanza(Lines& lines) {
    Stanza stanza;
    stanza.arguments = parse_arguments(lines.next().substr(kStanzaMark.size()));
    stanza.body = parse_body(lines);
    return stanza;
}

void write_stanza(std::string& text, const Stanza& stanza) {
    text += "->";
    for (const std::string& argument : stanza.arguments)
        text += ' ' + argument;
    text += '\n';
    const std::string body = base64(stanza.body);
    for (size_t at = 0; at < body.size(); at += kColumns)
        text += body.substr(at, kColumns) + '\n';
    if (body.size() % kColumns == 0) text += '\n';
}

} // namespace

void throw_damaged_header(const std::string& what) {
    throw bk::Error(BK_E_CORRUPT, "the age header is damaged: " + what,
                    "fetch the object again; if it is the same, use another copy");
}

std::string write_header(const std::vector<Stanza>& stanzas, const FileKey& file_key) {
    std::string text = std::string(kMagic) + '\n';
    for (const Stanza& stanza : stanzas)
        write_stanza(text, stanza);
    text += kMacMark;
    const Digest mac = header_mac(text, file_key);
    text += ' ' + base64(mac) + '\n';
    if (text.size() > kMaxHeader)
        throw bk::Error(BK_E_CONFIG,
                        "age: too many recipients: the header would have " +
                            std::to_string(text.size()) + " bytes",
                        "the limit is " + std::to_string(kMaxHeader));
    return text;
}

Header parse_header(std::string_view text) {
    Lines lines(text);
    if (lines.next() != kMagic) throw_damaged_header("its first line");
    Header header;
    while (lines.at(kStanzaMark))
        header.stanzas.push_back(parse_stanza(lines));
    if (header.stanzas.empty()) throw_damaged_header("it has no stanza");
    header.authenticated = text.substr(0, lines.position() + kMacMark.size());
    const std::string_view end = lines.next();
    if (!end.starts_with("--- ") || !lines.at_end()) throw_damaged_header("its last line");
    const auto mac = from_base64(end.substr(kMacMark.size() + 1));
    if (!mac || mac->size() != header.mac.size()) throw_damaged_header("its MAC is malformed");
    std::copy(mac->begin(), mac->end(), header.mac.begin());
    return header;
}

void verify_header(const Header& header, const FileKey& file_key) {
    if (!equal(header_mac(header.authenticated, file_key), header.mac))
        throw_damaged_header("its MAC is wrong");
}

} // namespace age_plugin
