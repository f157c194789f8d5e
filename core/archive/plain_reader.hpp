// Stored objects as the plain streams that they pack, from the first byte to the last, without the
// index. Every byte is held to the manifest: sizes and sha256.
#pragma once

#include "core/archive/object_reader.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

/// One object. Confined to one thread; holds one buffer.
class PlainReader {
public:
    /// `compressor` none: the stream is stored as it is. Throws as ObjectReader.
    PlainReader(const ArchiveAccess& access, const ObjectRecord& record,
                const DriverPtr& compressor);

    /// Fills the buffer as far as the stream goes. 0: it ended, and all of it was right. Throws
    /// CORRUPT, naming the object.
    [[nodiscard]] size_t read(std::span<uint8_t> buffer);

private:
    size_t copy(std::span<uint8_t> room);
    size_t decode(std::span<uint8_t> room);
    void refill();
    [[noreturn]] void corrupt(const std::string& what) const;

    const std::string object_; ///< for messages
    const uint64_t plain_size_;
    ObjectReader reader_;
    std::unique_ptr<Codec> codec_;
    std::vector<uint8_t> packed_;
    size_t packed_size_ = 0, packed_pos_ = 0;
    uint64_t given_ = 0;
    bool source_end_ = false, ended_ = false;
};

/// The volumes of a component laid end to end: the dump. Confined to one thread.
class DumpReader {
public:
    /// The component must outlive it.
    DumpReader(const ArchiveAccess& access, const ComponentRecord& component,
               const DriverPtr& compressor)
        : access_(access), component_(component), compressor_(compressor) {}
    /// As PlainReader's; 0 at the end of the last volume.
    [[nodiscard]] size_t read(std::span<uint8_t> buffer);

private:
    const ArchiveAccess access_;
    const ComponentRecord& component_;
    const DriverPtr compressor_;
    std::unique_ptr<PlainReader> volume_; ///< the one that is read
    size_t next_ = 0;
};

} // namespace bkhost
