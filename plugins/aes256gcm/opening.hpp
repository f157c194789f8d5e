// Reverse: an aes256gcm file in, plain bytes out, from the start or from any offset.
#pragma once

#include "chunks.hpp"

#include <bkhost/sealed_chunks.hpp>

#include <optional>
#include <string>
#include <vector>

namespace aes256gcm {

/// One stream; confined to one thread.
class Opening final : public bk::ChunkOpener<Chunks> {
public:
    /// Throws CONFIG without a key.
    explicit Opening(std::vector<MasterKey> keys);
    [[nodiscard]] std::vector<std::string> fingerprints() override;

private:
    std::optional<Opened> take_header(bk_in& in) override;

    std::vector<MasterKey> keys_;
    std::vector<uint8_t> header_; // as far as it has come
};

} // namespace aes256gcm
