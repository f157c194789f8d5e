// Reverse: an age file in, plain bytes out, from the start or from any offset.
#pragma once

#include "header_reader.hpp"
#include "stanzas.hpp"

#include <bkhost/sealed_chunks.hpp>

#include <optional>
#include <string>
#include <vector>

namespace age_plugin {

/// One stream; confined to one thread.
class Decrypting final : public bk::ChunkOpener<Payload> {
public:
    explicit Decrypting(Unlock unlock);
    [[nodiscard]] std::vector<std::string> fingerprints() override;

private:
    std::optional<Opened> take_header(bk_in& in) override;

    Unlock unlock_;
    HeaderReader header_;
};

} // namespace age_plugin
