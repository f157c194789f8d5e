// Finds the frames of a volume in its packed stream, without the index.
#pragma once

#include "core/archive/object_reader.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

/// A frame as it was found. The bytes are valid until the next one is asked for.
struct FoundFrame {
    uint64_t packed_offset = 0, packed_length = 0; ///< in the volume's packed stream
    std::span<const uint8_t> plain;
};

/// Confined to one thread; holds two frames. With a codec its own frames are found. What is stored
/// as it is, is cut before each marker, and else at the usual size of a frame.
class FrameScanner {
public:
    /// `marker`: how a section's comment line begins; "": there are none. Throws as ObjectReader.
    FrameScanner(const ArchiveAccess& access, const ObjectRecord& record,
                 const DriverPtr& compressor, std::string marker);

    /// Nothing: the volume ended, and all of it was as the manifest says. Throws CORRUPT, naming
    /// the object, and UNSUPPORTED for a codec that does not know where its frames end.
    [[nodiscard]] std::optional<FoundFrame> next();

private:
    [[nodiscard]] bool next_packed();
    [[nodiscard]] bool next_stored();
    void refill();
    [[noreturn]] void corrupt(const std::string& what) const;

    const std::string object_; ///< for messages
    const ObjectRecord record_;
    const std::string marker_;
    ObjectReader reader_;
    std::unique_ptr<Codec> codec_;
    std::vector<uint8_t> input_; ///< of the codec; without one the stream itself
    size_t input_size_ = 0, input_pos_ = 0;
    bool input_end_ = false;
    std::vector<uint8_t> buffer_, decoded_; ///< with a codec: a piece of a frame, and the frame
    FoundFrame frame_;
    uint64_t plain_size_ = 0;
};

} // namespace bkhost
