// One piece of a section on its way to a loader.
#pragma once

#include "core/driver/dumper.hpp"
#include "core/pipeline/frame.hpp"
#include "core/pipeline/sections.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace bkhost {

struct LoadPiece {
    const SectionInfo& section;
    bool first = false;          ///< of its section
    uint64_t frame = 0;          ///< number of the frame that it begins in
    uint64_t section_offset = 0; ///< bytes of the section before it
    uint64_t size = 0;           ///< bytes; 0: not known
    RowSum sum = {};
};

/// Gives 1.. bytes of the piece, or 0 at its end.
using ReadPiece = std::function<size_t(std::span<uint8_t>)>;

/// Throws what the loader or the reading failed with, and INTERNAL when the loader left something.
void load_piece(LoadSession& session, const std::string& archive_id, const LoadPiece& piece,
                const ReadPiece& read);

} // namespace bkhost
