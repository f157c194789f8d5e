// Optional, for encryptors that seal chunks of one size, each on its own: the cutting, the
// carry-over between calls, the last chunk, and entry at any offset. The cipher and the header are
// the driver's: derive from ChunkSealer for the way forward and from ChunkOpener for the way back.
#pragma once

#include <bkhost/transform.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bk::inline v0 {

/// Seals and opens chunks by number. A chunk holds kPlain bytes and is stored in kPlain + kTag; the
/// last one may be shorter, and is without content only when it is the first one too.
///     void seal(uint64_t chunk, bool last, span plain, uint8_t* out)   writes plain.size() + kTag
///     bool open(uint64_t chunk, bool last, span stored, uint8_t* out)  writes stored.size() -
///     kTag;
///          false, and zeros written, when the tag does not fit
template <class T>
concept ChunkCipher = std::movable<T> &&
    requires(T cipher, uint64_t chunk, bool last, std::span<const uint8_t> bytes, uint8_t* out) {
    {size_t{T::kPlain} + size_t{T::kTag}};
    cipher.seal(chunk, last, bytes, out);
    { cipher.open(chunk, last, bytes, out) } -> std::same_as<bool>;
};

template <ChunkCipher C>
inline constexpr size_t kStoredChunk = C::kPlain + C::kTag;

/// Where the chunk that holds the last byte before `plain_end` ends; saturates.
template <ChunkCipher C>
[[nodiscard]] uint64_t stored_end_of(uint64_t header_size, uint64_t plain_end) noexcept {
    const uint64_t chunks =
        std::max<uint64_t>(plain_end / C::kPlain + (plain_end % C::kPlain != 0 ? 1 : 0), 1);
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    if (chunks > (kMost - header_size) / kStoredChunk<C>) return kMost;
    return header_size + chunks * kStoredChunk<C>;
}

/// Takes bytes until `buffer` holds `size`; true when it does.
inline bool collect(std::vector<uint8_t>& buffer, size_t size, bk_in& in) {
    const size_t more = std::min(size - buffer.size(), in.len - in.pos);
    buffer.insert(buffer.end(), in.data + in.pos, in.data + in.pos + more);
    in.pos += more;
    return buffer.size() == size;
}

/// Output that the caller had no room for yet: filled once, given out in pieces.
class PendingOutput {
public:
    /// Makes room for `size` bytes, to be written at once. Only when nothing is left.
    [[nodiscard]] uint8_t* fill(size_t size) {
        bytes_.resize(size);
        given_ = 0;
        return bytes_.data();
    }
    /// Moves what fits; true when nothing is left.
    bool drain(bk_out& out) noexcept {
        const size_t size = std::min(out.cap - out.pos, bytes_.size() - given_);
        if (size > 0) std::memcpy(out.data + out.pos, bytes_.data() + given_, size);
        out.pos += size;
        given_ += size;
        return given_ == bytes_.size();
    }
    void clear() noexcept {
        bytes_.clear();
        given_ = 0;
    }

private:
    std::vector<uint8_t> bytes_;
    size_t given_ = 0;
};

/// Forward: plain bytes in, a header and sealed chunks out. A chunk is sealed as soon as a byte
/// after it is known, or as the last one at FINISH; whole chunks go from the caller's buffer to the
/// caller's buffer. FLUSH is UNSUPPORTED. After END or a failure: INVALID. Confined to one thread.
template <ChunkCipher C>
class ChunkSealer : public Encryptor {
public:
    bk_status process(bk_in& in, bk_out& out, Op op) final {
        if (closed_) throw Error(BK_E_INVALID, name_ + ": called again after the end or a failure");
        if (op == Op::flush)
            throw Error(BK_E_UNSUPPORTED, name_ + " cannot flush: its chunks have one size");
        closed_ = true; // unless all goes well
        if (!cipher_) start();
        const bk_status status = run(in, out, op == Op::finish);
        closed_ = status == BK_END;
        return status;
    }
    [[nodiscard]] uint64_t header_size() noexcept final { return header_size_; }
    Position seek(uint64_t) final {
        throw Error(BK_E_INVALID, name_ + ": only a reader can be moved");
    }
    [[nodiscard]] uint64_t stored_end(uint64_t plain_end) noexcept final {
        return stored_end_of<C>(header_size_, plain_end);
    }

protected:
    /// `name` stands in messages.
    explicit ChunkSealer(std::string name) : name_(std::move(name)) { partial_.reserve(C::kPlain); }
    struct Beginning {
        std::vector<uint8_t> header;
        C cipher;
    };
    /// Called once, by the first process().
    virtual Beginning begin() = 0;

private:
    void start() {
        Beginning made = begin();
        header_size_ = made.header.size();
        std::copy(made.header.begin(), made.header.end(), pending_.fill(header_size_));
        cipher_.emplace(std::move(made.cipher));
    }
    bk_status run(bk_in& in, bk_out& out, bool finish) {
        while (pending_.drain(out)) {
            if (sealed_last_) {
                if (in.pos < in.len || !finish)
                    throw Error(BK_E_INVALID,
                                name_ + ": the input went on after its end was announced");
                return BK_END;
            }
            if (!seal_next(in, out, finish)) return BK_OK;
        }
        return BK_NEED_OUTPUT;
    }
    // Seals one chunk; false when more input is needed for that, which has then all been taken.
    bool seal_next(bk_in& in, bk_out& out, bool finish) {
        const size_t left = in.len - in.pos;
        if (partial_.empty() && (left > C::kPlain || finish)) {
            const size_t size = std::min<size_t>(left, C::kPlain);
            seal({in.data + in.pos, size}, finish && size == left, out);
            in.pos += size;
            return true;
        }
        collect(partial_, C::kPlain, in);
        const bool at_end = in.pos == in.len;
        if (at_end && !finish) return false;
        seal(partial_, at_end, out);
        partial_.clear();
        return true;
    }
    void seal(std::span<const uint8_t> plain, bool last, bk_out& out) {
        const size_t size = plain.size() + C::kTag;
        const bool direct = out.cap - out.pos >= size;
        cipher_->seal(chunk_, last, plain, direct ? out.data + out.pos : pending_.fill(size));
        if (direct) out.pos += size;
        sealed_last_ = last;
        ++chunk_;
    }

    const std::string name_;
    std::optional<C> cipher_;
    std::vector<uint8_t> partial_; // of a chunk that is not full, or not known to be the last
    PendingOutput pending_;
    uint64_t header_size_ = 0;
    uint64_t chunk_ = 0;
    bool sealed_last_ = false;
    bool closed_ = false;
};

/// Reverse, from the start or from any offset. Nothing is given out before its tag was verified: a
/// chunk that fails leaves zeros behind the output cursor. Whether a whole chunk is the last one is
/// not known before it is opened: it is tried as one of many first, and then as the last. After END
/// or a failure: INVALID, until seek() when the header was taken. Confined to one thread.
template <ChunkCipher C>
class ChunkOpener : public Encryptor {
public:
    bk_status process(bk_in& in, bk_out& out, Op op) final {
        if (closed_) throw Error(BK_E_INVALID, name_ + ": called again after the end or a failure");
        closed_ = true; // unless all goes well
        const bk_status status = run(in, out, op == Op::finish);
        closed_ = status == BK_END;
        return status;
    }
    [[nodiscard]] uint64_t header_size() noexcept final { return header_size_; }
    Position seek(uint64_t plain_offset) final {
        if (!cipher_) throw Error(BK_E_INVALID, name_ + ": moved before the header was read");
        partial_.clear();
        pending_.clear();
        opened_last_ = false;
        closed_ = false;
        chunk_ = plain_offset / C::kPlain;
        return {header_size_ + chunk_ * kStoredChunk<C>, plain_offset % C::kPlain};
    }
    [[nodiscard]] uint64_t stored_end(uint64_t plain_end) noexcept final {
        return stored_end_of<C>(header_size_, plain_end);
    }

protected:
    /// `name` stands in messages.
    explicit ChunkOpener(std::string name) : name_(std::move(name)) {
        partial_.reserve(kStoredChunk<C>);
    }
    struct Opened {
        C cipher;
        uint64_t header_size;
    };
    /// Takes the header and nothing behind it; nothing as long as more input is needed. Throws
    /// DENIED for a wrong key, CORRUPT for a damaged header.
    virtual std::optional<Opened> take_header(bk_in& in) = 0;

private:
    bk_status run(bk_in& in, bk_out& out, bool finish) {
        if (!cipher_) start(in);
        if (!cipher_) {
            if (finish) fail("is truncated inside its header");
            return BK_OK;
        }
        while (pending_.drain(out)) {
            if (opened_last_) {
                if (in.pos < in.len) fail("has bytes after its last chunk");
                return finish ? BK_END : BK_OK;
            }
            if (!open_next(in, out, finish)) return BK_OK;
        }
        return BK_NEED_OUTPUT;
    }
    void start(bk_in& in) {
        std::optional<Opened> opened = take_header(in);
        if (!opened) return;
        cipher_.emplace(std::move(opened->cipher));
        header_size_ = opened->header_size;
    }
    // Opens one chunk; false when more input is needed for that, which has then all been taken.
    bool open_next(bk_in& in, bk_out& out, bool finish) {
        if (partial_.empty() && in.len - in.pos >= kStoredChunk<C>) {
            open({in.data + in.pos, kStoredChunk<C>}, false, out);
            in.pos += kStoredChunk<C>;
            return true;
        }
        const bool whole = collect(partial_, kStoredChunk<C>, in);
        if (!whole && !finish) return false;
        if (partial_.empty()) fail("is truncated before chunk " + std::to_string(chunk_));
        open(partial_, !whole, out);
        partial_.clear();
        return true;
    }
    void open(std::span<const uint8_t> stored, bool only_last, bk_out& out) {
        if (stored.size() < C::kTag) fail("is truncated in chunk " + std::to_string(chunk_));
        const size_t size = stored.size() - C::kTag;
        const bool direct = out.cap - out.pos >= size;
        uint8_t* room = direct ? out.data + out.pos : pending_.fill(size);
        if (only_last || !cipher_->open(chunk_, false, stored, room)) {
            opened_last_ = cipher_->open(chunk_, true, stored, room);
            const bool allowed = size > 0 || chunk_ == 0; // only a stream without content ends so
            if (!opened_last_ || !allowed)
                fail("is damaged or truncated in chunk " + std::to_string(chunk_) +
                     ", which begins at byte " +
                     std::to_string(header_size_ + chunk_ * kStoredChunk<C>));
        }
        if (direct) out.pos += size;
        ++chunk_;
    }
    [[noreturn]] void fail(const std::string& what) const {
        throw Error(BK_E_CORRUPT, "the " + name_ + " file " + what,
                    "fetch the object again; if it is the same, use another copy");
    }

    const std::string name_;
    std::optional<C> cipher_;
    std::vector<uint8_t> partial_; // stored bytes of a chunk that is not whole yet
    PendingOutput pending_;
    uint64_t header_size_ = 0;
    uint64_t chunk_ = 0;
    bool opened_last_ = false;
    bool closed_ = false;
};

} // namespace bk::inline v0
