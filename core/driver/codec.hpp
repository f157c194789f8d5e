// Instances of compressors and encryptors.
#pragma once

#include "core/driver/services.hpp"

#include <bkhost/error.hpp>
#include <bkhost/transform.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace bkhost {

/// What the output of a codec is as a file; empty texts when the driver does not say.
struct CodecFile {
    std::string suffix, decode_command;
};
[[nodiscard]] CodecFile codec_file(const DriverSetup& driver);
/// "zstd:3", as a row names a codec: the driver, and its level where it has one.
[[nodiscard]] std::string codec_text(const std::string& driver, const OptionText& options);
/// Bytes that one instance costs, by the driver's own account.
[[nodiscard]] uint64_t codec_memory(const DriverSetup& driver, int32_t direction,
                                    uint64_t frame_size);

/// Whether a codec that reads what its own kind wrote fails for the bytes' sake. What it does not
/// know is damage too: a flipped bit may ask for a dictionary, or for a larger window than any
/// writer uses.
[[nodiscard]] bool is_damage(const bk::Error& error) noexcept;

/// One instance. Confined to one thread but for interrupt().
class Codec {
public:
    Codec(DriverPtr driver, const Services& services, int32_t direction);
    ~Codec();
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;

    /// BK_OK, BK_NEED_OUTPUT or BK_END; throws for every error.
    [[nodiscard]] bk_status process(bk_in& in, bk_out& out, int32_t op);
    /// Runs all of `input` through and hands the output over in pieces of the buffer's size.
    using Output = std::function<void(std::span<const uint8_t>)>;
    void run(std::span<const uint8_t> input, int32_t op, std::span<uint8_t> buffer,
             const Output& output);
    /// A whole frame with FINISH into `out`, which grows when the codec needs more room. Gives the
    /// length of the output.
    [[nodiscard]] size_t frame(std::span<const uint8_t> input, std::vector<uint8_t>& out);
    /// Reverse of a compressor: takes `input` up to the end of the frame that the codec stands in,
    /// at most all of it, and hands the plain bytes over in pieces of the buffer's size. The end of
    /// the object is told by run() of nothing with FINISH. Throws UNSUPPORTED for a format that
    /// does not know where frames end.
    struct FramePart {
        size_t taken;
        bool ended; ///< the frame; the next part begins another one
    };
    [[nodiscard]] FramePart frame_part(std::span<const uint8_t> input, std::span<uint8_t> buffer,
                                       const Output& output);
    void interrupt() noexcept;

    [[nodiscard]] const DriverSetup& driver() const noexcept { return *driver_; }
    [[nodiscard]] void* self() const noexcept { return self_; }

private:
    DriverPtr driver_;
    CallLock lock_;
    void* self_ = nullptr;
    CancelLink cancel_;
};

/// An encryptor forward or in reverse, with its extensions; a cipher without them still works, from
/// the first byte on. Confined to one thread.
class Cipher : public Codec {
public:
    Cipher(DriverPtr driver, const Services& services, int32_t direction);
    [[nodiscard]] std::vector<std::string> fingerprints();
    [[nodiscard]] uint64_t header_size() const noexcept; ///< 0 while unknown
    [[nodiscard]] bool can_seek() const noexcept { return seek_ != nullptr; }
    struct Position {
        uint64_t stored_offset, skip;
    };
    [[nodiscard]] Position seek(uint64_t plain_offset);
    [[nodiscard]] uint64_t stored_end(uint64_t plain_end) const noexcept;

private:
    const bk_encryptor_keys* keys_;
    const bk_encryptor_seek* seek_;
};

/// Texts that a driver hands over through a bk_text_fn, collected.
class TextCollector {
public:
    static bk_status add(void* ctx, const char* text, size_t len) noexcept;
    std::vector<std::string> texts;
};

} // namespace bkhost
