// Forward: plain bytes in, an age file out.
#pragma once

#include "keys.hpp"
#include "payload.hpp"
#include "pending.hpp"

#include <bkhost/transform.hpp>

#include <optional>
#include <string>
#include <vector>

namespace age_plugin {

/// Who will be able to read: recipients, or a passphrase alone.
struct Lock {
    std::vector<Point> recipients;
    SecretText passphrase; ///< may be empty: none
    int work_factor = 18;
};

/// One stream; confined to one thread. FLUSH is UNSUPPORTED: chunks have one size. After END or a
/// failure: INVALID.
class Encrypting final : public bk::Encryptor {
public:
    explicit Encrypting(Lock lock);
    bk_status process(bk_in& in, bk_out& out, bk::Op op) override;
    [[nodiscard]] std::vector<std::string> fingerprints() override;
    [[nodiscard]] uint64_t header_size() noexcept override { return header_size_; }
    Position seek(uint64_t plain_offset) override;
    [[nodiscard]] uint64_t stored_end(uint64_t plain_end) noexcept override;

private:
    void begin();
    bool seal_next(bk_in& in, bk_out& out, bool finish);
    void seal(View plain, bool last, bk_out& out);

    Lock lock_;
    std::optional<Payload> payload_;
    std::vector<uint8_t>
        partial_; // plain bytes of a chunk that is not full, or not known to be last
    Pending pending_;
    uint64_t header_size_ = 0;
    uint64_t chunk_ = 0;
    bool sealed_last_ = false;
    bool closed_ = false;
};

/// Where the chunk that holds the last byte before `plain_end` ends; saturates.
[[nodiscard]] uint64_t stored_end_of(uint64_t header_size, uint64_t plain_end) noexcept;

} // namespace age_plugin
