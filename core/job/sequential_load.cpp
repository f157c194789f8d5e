#include "core/job/sequential_load.hpp"

#include "core/archive/section_cutter.hpp"
#include "core/job/load_piece.hpp"

#include <bkhost/error.hpp>

namespace bkhost {

SequentialLoad::SequentialLoad(const ArchiveAccess& access, const Manifest& manifest,
                               const DriverPtr& compressor, LoadSession& session)
    : access_(access), manifest_(manifest), component_(manifest.components.front()),
      session_(session), dump_(access_, component_, compressor) {}

void SequentialLoad::run() {
    if (component_.marker.empty()) return load_whole();
    try {
        load_sections();
    } catch (const bk::Error& error) {
        if (error.status() != BK_E_CORRUPT || !error.hint().empty()) throw;
        throw bk::Error(BK_E_CORRUPT,
                        "storage '" + access_.storage.name() + "', backup '" + manifest_.id +
                            "': " + error.what(),
                        "restore from another storage, or an older backup");
    }
}

void SequentialLoad::load_sections() {
    SectionLedger ledger;
    SectionCutter cutter([&](std::span<uint8_t> buffer) { return dump_.read(buffer); },
                         component_.marker);
    for (uint64_t number = 0; cutter.next(); ++number) {
        SectionLedger::Entry& section = ledger.begin(cutter.section());
        uint64_t size = 0;
        load_piece(session_, manifest_.id,
                   {.section = section.info,
                    .first = section.bytes == 0,
                    .frame = number,
                    .section_offset = section.bytes},
                   [&](std::span<uint8_t> buffer) {
                       const size_t got = cutter.read(buffer);
                       size += got;
                       access_.observer.add_plain(got);
                       return got;
                   });
        section.bytes += size;
        bytes_ += size;
    }
}

void SequentialLoad::load_whole() {
    SectionInfo section;
    section.phase = BK_PHASE_DATA;
    section.ordered = true;
    section.kind = component_.format;
    load_piece(session_, manifest_.id,
               {.section = section, .first = true, .size = component_.plain_size},
               [&](std::span<uint8_t> buffer) {
                   const size_t got = dump_.read(buffer);
                   bytes_ += got;
                   access_.observer.add_plain(got);
                   return got;
               });
}

} // namespace bkhost
