// Forward: plain bytes in, an age file out.
#pragma once

#include "keys.hpp"
#include "payload.hpp"

#include <bkhost/sealed_chunks.hpp>

#include <string>
#include <vector>

namespace age_plugin {

/// Who will be able to read: recipients, or a passphrase alone.
struct Lock {
    std::vector<Point> recipients;
    SecretText passphrase; ///< may be empty: none
    int work_factor = 18;
};

/// One stream; confined to one thread.
class Encrypting final : public bk::ChunkSealer<Payload> {
public:
    explicit Encrypting(Lock lock);
    [[nodiscard]] std::vector<std::string> fingerprints() override;

private:
    Beginning begin() override;

    Lock lock_;
};

} // namespace age_plugin
