// The definition of rowsum-1 written out as plainly as possible, with the hash from the shared
// library instead of the inlined one: what rowsum.h is compared with.
#include "rowsum_naive.hpp"

#include <xxhash.h>

namespace bk_test {

std::string row_bytes(const Row& row) {
    std::string bytes;
    for (const std::optional<std::string>& column : row) {
        if (!column) {
            bytes += '\0';
            continue;
        }
        bytes += '\1';
        uint64_t size = column->size();
        for (int i = 0; i < 8; ++i, size /= 256)
            bytes += static_cast<char>(size % 256);
        bytes += *column;
    }
    return bytes;
}

Sum128 naive_rowsum(const std::vector<Row>& rows) {
    Sum128 sum = 0;
    for (const Row& row : rows) {
        const std::string bytes = row_bytes(row);
        const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
        sum += static_cast<Sum128>(hash.high64) << 64 | hash.low64;
    }
    return sum;
}

} // namespace bk_test
