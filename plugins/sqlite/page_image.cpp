// Runs of pages are read from the file at once, as long as the log holds none of them.
#include "page_image.hpp"

#include <algorithm>
#include <limits>

namespace sqlite_driver {

PageReader::PageReader(Snapshot& snapshot, const Cancel& cancel)
    : file_(snapshot.files().file()), object_(snapshot.files().object()),
      page_size_(snapshot.page_size()), lock_page_(lock_page(page_size_)),
      log_(snapshot.wal_pages(cancel)) {}

/// The first page from `page` on that does not come from the file.
uint32_t PageReader::next_special(uint32_t page) const {
    uint32_t next = log_.next(page);
    if (next == 0) next = std::numeric_limits<uint32_t>::max();
    return page <= lock_page_ ? std::min(next, lock_page_) : next;
}

void PageReader::read(uint32_t first, std::span<uint8_t> out) const {
    const auto end = first + static_cast<uint32_t>(out.size() / page_size_);
    const auto pages = [&](uint32_t page, uint32_t count) {
        return out.subspan(size_t{page - first} * page_size_, size_t{count} * page_size_);
    };
    uint32_t page = first;
    while (page < end) {
        const uint32_t special = std::min(next_special(page), end);
        if (page < special) {
            const uint64_t offset = uint64_t{page - 1} * page_size_;
            read_exactly(file_, pages(page, special - page), offset, object_);
        } else if (page == lock_page_) {
            std::ranges::fill(pages(page, 1), uint8_t{0});
        } else {
            log_.read(page, pages(page, 1));
        }
        page = std::max(page + 1, special);
    }
}

void dump_image(Snapshot& snapshot, const Cancel& cancel, bk::Host host, bk::Sink sink) {
    const uint32_t page_size = snapshot.page_size();
    const uint64_t total = uint64_t{snapshot.pages()} * page_size;
    const PageReader reader(snapshot, cancel);
    const uint32_t run = std::max(1U, sink.fragment_target() / page_size);
    std::vector<uint8_t> buffer(size_t{run} * page_size);

    sink.section({.phase = BK_PHASE_DATA,
                  .flags = BK_SECTION_ORDERED,
                  .kind = "image",
                  .namespace_name = "main",
                  .size_hint = total});
    for (uint32_t done = 0; done < snapshot.pages();) {
        cancel.check();
        const uint32_t count = std::min(run, snapshot.pages() - done);
        const std::span<uint8_t> bytes(buffer.data(), size_t{count} * page_size);
        reader.read(done + 1, bytes);
        snapshot.check(); // what was read after the lock was let go must not go out
        sink.write(bytes.data(), bytes.size());
        sink.cut();
        done += count;
        host.progress(uint64_t{done} * page_size, total);
    }
}

} // namespace sqlite_driver
