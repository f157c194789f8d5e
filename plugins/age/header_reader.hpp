// Takes the header off the front of a stream that comes in pieces of any size.
#pragma once

#include "payload.hpp"

#include <bkhost/transform.h>

#include <string>
#include <vector>

namespace age_plugin {

/// Collects the textual header and the nonce after it. Confined to one thread.
class HeaderReader {
public:
    /// True once text and nonce are whole; takes nothing beyond. Throws CORRUPT for what is not an
    /// age file, UNSUPPORTED for an armored one.
    bool take(bk_in& in);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] PayloadNonce nonce() const;
    /// Bytes of both.
    [[nodiscard]] uint64_t size() const noexcept { return text_.size() + nonce_.size(); }

private:
    void take_piece_of_line(bk_in& in);
    void check_start() const;

    std::string text_;
    size_t line_start_ = 0;
    bool text_whole_ = false;
    std::vector<uint8_t> nonce_;
};

} // namespace age_plugin
