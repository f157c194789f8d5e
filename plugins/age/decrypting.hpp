// Reverse: an age file in, plain bytes out, from the start or from any offset.
#pragma once

#include "header_reader.hpp"
#include "pending.hpp"
#include "stanzas.hpp"

#include <bkhost/transform.hpp>

#include <optional>
#include <string>
#include <vector>

namespace age_plugin {

/// One stream; confined to one thread. Nothing is given out before its tag was verified: a chunk
/// that fails leaves zeros behind the output cursor. After END or a failure: INVALID, until seek()
/// when the header was taken.
class Decrypting final : public bk::Encryptor {
public:
    explicit Decrypting(Unlock unlock);
    bk_status process(bk_in& in, bk_out& out, bk::Op op) override;
    [[nodiscard]] std::vector<std::string> fingerprints() override;
    [[nodiscard]] uint64_t header_size() noexcept override { return header_size_; }
    Position seek(uint64_t plain_offset) override;
    [[nodiscard]] uint64_t stored_end(uint64_t plain_end) noexcept override;

private:
    void take_header(bk_in& in);
    bool open_next(bk_in& in, bk_out& out, bool finish);
    void open(View stored, bool only_last, bk_out& out);
    bk_status run(bk_in& in, bk_out& out, bool finish);
    [[noreturn]] void throw_damaged_chunk() const;

    Unlock unlock_;
    HeaderReader header_;
    std::optional<Payload> payload_;
    std::vector<uint8_t> partial_; // stored bytes of a chunk that is not whole yet
    Pending pending_;
    uint64_t header_size_ = 0;
    uint64_t chunk_ = 0;
    bool opened_last_ = false;
    bool closed_ = false;
};

} // namespace age_plugin
