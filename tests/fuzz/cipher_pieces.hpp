// A cipher's way back, given its input in pieces.
#pragma once

#include "tests/fuzz/fuzz_target.hpp"

#include <bkhost/transform.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace bkhost::fuzz {

/// What `cipher` makes of the bytes, handed over `piece` at a time; nothing when it refuses them.
template <class Cipher>
std::optional<std::string> decrypt(Cipher&& cipher, const uint8_t* data, size_t size,
                                   size_t piece) {
    std::string plain;
    const bool whole = succeeds({BK_E_CORRUPT, BK_E_DENIED, BK_E_UNSUPPORTED}, [&] {
        std::array<uint8_t, 1000> room;
        size_t given = 0;
        for (bk_status status = BK_OK; status != BK_END;) {
            const size_t n = std::min(piece, size - given);
            bk_in in{data + given, n, 0};
            bk_out out{room.data(), room.size(), 0};
            const bool last = given + n == size;
            status = cipher.process(in, out, last ? bk::Op::finish : bk::Op::run);
            given += in.pos;
            plain.append(reinterpret_cast<const char*>(room.data()), out.pos);
        }
    });
    return whole ? std::optional(plain) : std::nullopt;
}

} // namespace bkhost::fuzz
