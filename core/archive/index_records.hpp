// The records of the index as values, and their lines (FORMAT.md, section 4).
#pragma once

#include "core/driver/services.hpp"
#include "core/pipeline/frame.hpp"
#include "core/pipeline/sections.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bkhost {

inline constexpr size_t kIndexLineLimit = size_t{64} << 20;  ///< bytes; a longer line is not ours
inline constexpr uint64_t kFrameLimit = uint64_t{512} << 20; ///< bytes; no writer makes such frames

struct IndexBegin {
    std::string id;
};
struct IndexComponent {
    uint32_t number = 0;
    std::string name;
};
struct IndexSegment {
    uint32_t section = 0;
    uint64_t offset = 0, length = 0; ///< in the frame's plain bytes
    uint64_t section_offset = 0;
    RowSum sum;
    bool first = false, continued = false;
};
struct IndexFrame {
    uint64_t number = 0;
    uint32_t component = 0, volume = 0;
    uint64_t plain_offset = 0, plain_length = 0;
    uint64_t packed_offset = 0, packed_length = 0;
    std::string checksum;
    bool more = false;
    std::vector<IndexSegment> segments;
};
struct IndexMeta {
    uint32_t component = 0;
    std::string key, value; ///< value: JSON
};
struct IndexProof {
    uint32_t component = 0;
    std::string namespace_name, table;
    RowSum sum;
};
struct IndexVolume {
    uint32_t component = 0, number = 0;
    uint64_t frames = 0, plain = 0, packed = 0;
};
struct IndexTotal {
    uint32_t section = 0;
    uint64_t bytes = 0;
    RowSum sum;
};
struct IndexEnd {
    uint64_t frames = 0, sections = 0, plain = 0;
};
struct IndexUnknown {}; ///< of a later minor version: skipped
using IndexRecord = std::variant<IndexUnknown, IndexBegin, IndexComponent, SectionInfo, IndexFrame,
                                 IndexMeta, IndexProof, Warning, IndexVolume, IndexTotal, IndexEnd>;

/// One line with its newline.
[[nodiscard]] std::string index_line(const IndexRecord& record);
/// Of a line without its newline. Throws CORRUPT.
[[nodiscard]] IndexRecord parse_index_line(std::string_view line);

/// 32 hex digits, most significant first; "" when not known.
[[nodiscard]] std::string digest_text(const RowSum& sum);

} // namespace bkhost
