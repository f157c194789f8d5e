#include "core/job/load_piece.hpp"

#include <bkhost/error.hpp>

#include <array>
#include <exception>

namespace bkhost {
namespace {

bk_load_unit unit_of(const LoadPiece& piece, const std::string& archive_id) {
    const SectionInfo& section = piece.section;
    bk_load_unit unit{};
    unit.struct_size = sizeof unit;
    unit.flags = piece.first ? uint32_t{BK_LOAD_FIRST} : 0u;
    unit.archive_id = archive_id.c_str();
    unit.section = {sizeof(bk_section),
                    section.phase,
                    section.step,
                    section.ordered ? uint32_t{BK_SECTION_ORDERED} : 0u,
                    section.kind.c_str(),
                    section.namespace_name.c_str(),
                    section.name.c_str(),
                    section.depends.c_str(),
                    0};
    unit.frame_no = piece.frame;
    unit.section_offset = piece.section_offset;
    unit.size = piece.size;
    unit.rows = piece.sum.rows;
    unit.digest[0] = piece.sum.low;
    unit.digest[1] = piece.sum.high;
    return unit;
}

/// What the driver reads from. A failure goes through the driver as a status; the cause itself is
/// kept here.
struct PieceSource {
    const ReadPiece& read;
    std::exception_ptr failure;

    size_t take(std::span<uint8_t> buffer) {
        try {
            return read(buffer);
        } catch (const std::exception&) {
            failure = std::current_exception();
            throw;
        }
    }
};

} // namespace

void load_piece(LoadSession& session, const std::string& archive_id, const LoadPiece& piece,
                const ReadPiece& read) {
    PieceSource from{read, nullptr};
    bk_source source{};
    source.struct_size = sizeof source;
    source.ctx = &from;
    source.read = [](bk_source* self, void* buffer, size_t cap, size_t* got,
                     bk_error* error) noexcept -> bk_status {
        return bk::guard(error, [&]() -> bk_status {
            *got = static_cast<PieceSource*>(self->ctx)->take({static_cast<uint8_t*>(buffer), cap});
            return *got == 0 ? BK_END : BK_OK;
        });
    };
    try {
        session.load(unit_of(piece, archive_id), source);
    } catch (const std::exception&) {
        if (from.failure) std::rethrow_exception(from.failure);
        throw;
    }
    std::array<uint8_t, 1> more{};
    if (read(more) != 0)
        throw bk::Error(BK_E_INTERNAL, "the loader of section '" + piece.section.name +
                                           "' did not read all that it was given");
}

} // namespace bkhost
