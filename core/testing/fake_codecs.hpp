// Toy codecs: the compressors `store` and `swell`, the encryptors `xor` and `xor-stream`. They keep
// the contract of transform.h, so that damage and truncation are found. For tests only.
#pragma once

#include "core/base/digest.hpp"

#include <bkhost/transform.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace bkhost::test {

/// Output that waits for room.
class PendingOutput {
public:
    void add(std::span<const uint8_t> bytes) {
        data_.insert(data_.end(), bytes.begin(), bytes.end());
    }
    /// Gives what fits; true when nothing is left.
    bool drain(bk_out& out) {
        const size_t n = std::min(out.cap - out.pos, data_.size() - pos_);
        if (n > 0) std::memcpy(out.data + out.pos, data_.data() + pos_, n);
        out.pos += n;
        pos_ += n;
        if (pos_ < data_.size()) return false;
        data_.clear();
        pos_ = 0;
        return true;
    }

private:
    std::vector<uint8_t> data_;
    size_t pos_ = 0;
};

/// Takes all of the input.
inline void take(bk_in& in, std::vector<uint8_t>& to) {
    to.insert(to.end(), in.data + in.pos, in.data + in.len);
    in.pos = in.len;
}

/// A frame: "FAKE", u32 length (little-endian), 16 characters of the XXH3 of length and data, then
/// the data `Copies` times. "FAKD", one bit away, is a frame that it does not know.
template <size_t Copies>
class FrameCodec final : public bk::Transform {
public:
    static constexpr size_t kHeader = 24;
    static constexpr bk_option kOptions[] = {
        bk::option("level", BK_OPT_INT, "does nothing", "3", "1..9"),
        bk::option("memory", BK_OPT_SIZE, "what one instance says that it costs", "1024"),
        bk::option("fail-frame", BK_OPT_INT, "which frame of an instance fails; 0: none", "0"),
    };
    FrameCodec(bk::Host, bk::Config config, bk::Direction direction)
        : forward_(direction == bk::Direction::forward), fail_(config.number("fail-frame")) {}
    static uint64_t memory(bk::Config config, bk::Direction, uint64_t) noexcept {
        return static_cast<uint64_t>(config.number("memory"));
    }

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        if (op == bk::Op::frame) return unpack_one(in, out);
        take(in, input_);
        if (!forward_)
            unpack();
        else if (op == bk::Op::finish && !packed_)
            pack();
        if (!output_.drain(out)) return BK_NEED_OUTPUT;
        if (op != bk::Op::finish) return BK_OK;
        if (!forward_ && !input_.empty())
            throw bk::Error(BK_E_CORRUPT, "the input ends inside a frame");
        packed_ = false;
        return BK_END;
    }

    static const void* extension(const char* id) noexcept {
        static constexpr uint8_t magic[] = {'F', 'A', 'K', 'E'};
        static constexpr bk_transform_file file{sizeof(bk_transform_file), 4, magic,
                                                Copies == 1 ? "sto" : "swl", "unfake"};
        return std::string_view(id) == BK_TRANSFORM_FILE_ID ? &file : nullptr;
    }

private:
    static std::string checksum(std::span<const uint8_t> length, std::span<const uint8_t> data) {
        Xxh3 hash;
        hash.update(length);
        hash.update(data);
        return hash.finish().substr(0, 16);
    }
    void pack() {
        if (fail_ > 0 && ++frames_ == fail_) throw bk::Error(BK_E_INTERNAL, "made to fail");
        const auto size = static_cast<uint32_t>(input_.size());
        const uint8_t length[] = {static_cast<uint8_t>(size), static_cast<uint8_t>(size >> 8),
                                  static_cast<uint8_t>(size >> 16),
                                  static_cast<uint8_t>(size >> 24)};
        output_.add(as_bytes("FAKE"));
        output_.add(length);
        output_.add(as_bytes(checksum(length, input_)));
        for (size_t i = 0; i < Copies; ++i)
            output_.add(input_);
        input_.clear();
        packed_ = true;
    }
    /// What the frame at the start of input_ still lacks, as far as it can be told; 0: it is whole.
    [[nodiscard]] size_t missing() const {
        if (input_.size() < kHeader) return kHeader - input_.size();
        return kHeader + Copies * check_header(input_) - input_.size();
    }
    static size_t check_header(std::span<const uint8_t> header) {
        if (std::memcmp(header.data(), "FAKD", 4) == 0)
            throw bk::Error(BK_E_UNSUPPORTED, "needs a dictionary", "give it one");
        if (std::memcmp(header.data(), "FAKE", 4) != 0)
            throw bk::Error(BK_E_CORRUPT, "not a frame");
        return header[4] | header[5] << 8 | header[6] << 16 | size_t{header[7]} << 24;
    }
    bk_status unpack_one(bk_in& in, bk_out& out) {
        while (!unpacked_) {
            const size_t size = std::min(missing(), in.len - in.pos);
            bk_in part{in.data + in.pos, size, 0};
            take(part, input_);
            in.pos += size;
            unpacked_ = missing() == 0;
            if (unpacked_)
                unpack();
            else if (size == 0)
                return BK_OK;
        }
        if (!output_.drain(out)) return BK_NEED_OUTPUT;
        unpacked_ = false;
        return BK_END;
    }
    void unpack() {
        size_t pos = 0;
        while (input_.size() - pos >= kHeader) {
            const std::span<const uint8_t> header = std::span(input_).subspan(pos, kHeader);
            const size_t size = check_header(header);
            if ((input_.size() - pos - kHeader) / Copies < size) break;
            const std::span<const uint8_t> data = std::span(input_).subspan(pos + kHeader, size);
            const std::string sum = checksum(header.subspan(4, 4), data);
            bool good = std::memcmp(header.data() + 8, sum.data(), 16) == 0;
            for (size_t i = 1; i < Copies; ++i)
                good = good && std::equal(data.begin(), data.end(), data.data() + i * size);
            if (!good) throw bk::Error(BK_E_CORRUPT, "the checksum of a frame differs");
            output_.add(data);
            pos += kHeader + Copies * size;
        }
        input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(pos));
    }

    const bool forward_;
    const int64_t fail_;
    int64_t frames_ = 0;
    bool packed_ = false;   ///< forward: the frame is made and waits for room
    bool unpacked_ = false; ///< reverse, frame by frame: the same
    std::vector<uint8_t> input_;
    PendingOutput output_;
};

/// The stream: "XORC", 12 characters of the key's XXH3; then blocks of a flag (1: the last one), up
/// to 1,024 bytes and a tag of 16 over key, number, flag and bytes. All blocks but the last are
/// full.
class XorCipher final : public bk::Encryptor {
public:
    static constexpr uint64_t kHeader = 16, kBlock = 1024, kStored = 1 + kBlock + 16;
    static constexpr bk_option kOptions[] = {
        bk::option("key", BK_OPT_SECRET, "both ways the same", "key one", nullptr,
                   BK_OPT_URL_TARGET),
        bk::option("fail-call", BK_OPT_INT, "which call of an instance fails; 0: none", "0"),
    };
    XorCipher(bk::Host, bk::Config config, bk::Direction direction)
        : forward_(direction == bk::Direction::forward), key_(config.text("key")),
          id_(xxh3_hex(as_bytes(key_)).substr(0, 12)), fail_(config.number("fail-call")) {}
    static uint64_t memory(bk::Config, bk::Direction, uint64_t) noexcept { return 4096; }

    bk_status process(bk_in& in, bk_out& out, bk::Op op) override {
        if (fail_ > 0 && ++calls_ == fail_) throw bk::Error(BK_E_INTERNAL, "made to fail");
        if (ended_) throw bk::Error(BK_E_INVALID, "a call after the end of the stream");
        take(in, input_);
        if (forward_)
            encrypt(op == bk::Op::finish);
        else
            decrypt(op == bk::Op::finish);
        // A full output asks for more room even when nothing is left, as real ciphers do.
        if (!output_.drain(out) || out.pos == out.cap) return BK_NEED_OUTPUT;
        if (op != bk::Op::finish) return BK_OK;
        ended_ = true;
        return BK_END;
    }

    std::vector<std::string> fingerprints() override { return {"xor:" + id_}; }
    uint64_t header_size() noexcept override { return header_done_ ? kHeader : 0; }
    Position seek(uint64_t plain_offset) override {
        input_.clear();
        output_ = {};
        ended_ = last_seen_ = false;
        block_ = plain_offset / kBlock;
        return {kHeader + block_ * kStored, plain_offset % kBlock};
    }
    uint64_t stored_end(uint64_t plain_end) noexcept override {
        return kHeader + (plain_end + kBlock - 1) / kBlock * kStored;
    }
    static void generate(const bk::Emit& emit) { emit("a generated key"); }
    static void public_keys(std::string_view text, const bk::Emit& emit) { emit(text); }

    static const void* file_extension(const char* id) noexcept {
        static constexpr uint8_t magic[] = {'X', 'O', 'R', 'C'};
        static constexpr bk_transform_file file{sizeof(bk_transform_file), 4, magic, "xor",
                                                "unxor -k KEY"};
        return std::string_view(id) == BK_TRANSFORM_FILE_ID ? &file : nullptr;
    }
    /// Without keys and seek: such a cipher is read from the first byte on.
    static const void* stream_extension(const char* id) noexcept { return file_extension(id); }
    static const void* extension(const char* id) noexcept;

private:
    using Block = std::vector<uint8_t>;
    void apply(Block& bytes) const {
        for (size_t i = 0; i < bytes.size(); ++i)
            bytes[i] ^= static_cast<uint8_t>(key_[i % key_.size()] + static_cast<char>(block_));
    }
    [[nodiscard]] std::string tag(bool last, std::span<const uint8_t> bytes) const {
        Xxh3 hash;
        hash.update(as_bytes(key_ + "/" + std::to_string(block_) + (last ? "/last" : "/more")));
        hash.update(bytes);
        return hash.finish().substr(0, 16);
    }
    void encrypt(bool finish) {
        if (!header_done_) {
            output_.add(as_bytes("XORC" + id_));
            header_done_ = true;
        }
        size_t pos = 0;
        for (; input_.size() - pos > kBlock; pos += kBlock)
            encrypt_block(pos, kBlock, false);
        if (finish && !last_seen_) {
            encrypt_block(pos, input_.size() - pos, true);
            pos = input_.size();
            last_seen_ = true;
        }
        input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(pos));
    }
    void encrypt_block(size_t pos, size_t size, bool last) {
        Block bytes(input_.begin() + static_cast<ptrdiff_t>(pos),
                    input_.begin() + static_cast<ptrdiff_t>(pos + size));
        apply(bytes);
        const uint8_t flag = last ? 1 : 0;
        output_.add({&flag, 1});
        output_.add(bytes);
        output_.add(as_bytes(tag(last, bytes)));
        ++block_;
    }
    void decrypt(bool finish) {
        size_t pos = 0;
        if (!header_done_) {
            if (input_.size() < kHeader) {
                if (finish) throw bk::Error(BK_E_CORRUPT, "the stream ends inside its header");
                return;
            }
            if (std::memcmp(input_.data(), ("XORC" + id_).data(), kHeader) != 0)
                throw bk::Error(BK_E_DENIED, "wrong key");
            header_done_ = true;
            pos = kHeader;
        }
        for (; input_.size() - pos >= kStored; pos += kStored)
            decrypt_block(pos, kStored);
        if (finish && pos < input_.size()) {
            decrypt_block(pos, input_.size() - pos);
            pos = input_.size();
        }
        if (finish && !last_seen_) throw bk::Error(BK_E_CORRUPT, "the stream is truncated");
        input_.erase(input_.begin(), input_.begin() + static_cast<ptrdiff_t>(pos));
    }
    void decrypt_block(size_t pos, size_t size) {
        if (last_seen_) throw bk::Error(BK_E_CORRUPT, "data behind the last block");
        if (size < 17) throw bk::Error(BK_E_CORRUPT, "a block is truncated");
        const uint8_t* at = input_.data() + pos;
        const bool last = at[0] == 1;
        Block bytes(at + 1, at + size - 16);
        const std::string expected = tag(last, bytes);
        if (at[0] > 1 || (!last && size < kStored) ||
            std::memcmp(at + size - 16, expected.data(), 16) != 0)
            throw bk::Error(BK_E_CORRUPT,
                            "the tag of block " + std::to_string(block_) + " differs");
        apply(bytes);
        output_.add(bytes);
        ++block_;
        last_seen_ = last;
    }

    const bool forward_;
    const std::string key_, id_;
    const int64_t fail_;
    int64_t calls_ = 0;
    std::vector<uint8_t> input_;
    PendingOutput output_;
    uint64_t block_ = 0;
    bool header_done_ = false, last_seen_ = false, ended_ = false;
};

inline const void* XorCipher::extension(const char* id) noexcept {
    using Extensions = bk::encryptor_extensions<XorCipher>;
    const std::string_view name(id);
    if (name == BK_ENCRYPTOR_KEYS_ID) return &Extensions::keys;
    if (name == BK_ENCRYPTOR_SEEK_ID) return &Extensions::seek;
    return file_extension(id);
}

} // namespace bkhost::test
