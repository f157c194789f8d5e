// Forward: plain bytes in, an aes256gcm file out.
#pragma once

#include "chunks.hpp"

#include <bkhost/sealed_chunks.hpp>

#include <string>
#include <vector>

namespace aes256gcm {

/// One stream; confined to one thread.
class Sealing final : public bk::ChunkSealer<Chunks> {
public:
    /// Throws CONFIG unless there is exactly one key.
    explicit Sealing(std::vector<MasterKey> keys);
    [[nodiscard]] std::vector<std::string> fingerprints() override;

private:
    Beginning begin() override;

    std::vector<MasterKey> keys_; // one
};

} // namespace aes256gcm
