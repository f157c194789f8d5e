// Whether a whole chunk is the last one is not known before it is opened: it is tried as one of
// many first, and then as the last. A shorter one can only be the last, and is known to be short at
// FINISH.
#include "decrypting.hpp"

#include "encrypting.hpp"

#include <algorithm>

namespace age_plugin {
namespace {

constexpr const char* kFetchAgain = "fetch the object again; if it is the same, use another copy";

[[noreturn]] void throw_truncated(const std::string& where) {
    throw bk::Error(BK_E_CORRUPT, "the age file is truncated " + where, kFetchAgain);
}

} // namespace

Decrypting::Decrypting(Unlock unlock) : unlock_(std::move(unlock)) {
    if (unlock_.identities.empty() && unlock_.passphrase.empty())
        throw bk::Error(BK_E_CONFIG, "age: no key to decrypt with",
                        "name a key file in 'identity-files', or set 'passphrase'");
    partial_.reserve(kStoredChunk);
}

bk_status Decrypting::process(bk_in& in, bk_out& out, bk::Op op) {
    if (closed_) throw bk::Error(BK_E_INVALID, "age: called again after the end or a failure");
    closed_ = true; // unless all goes well
    const bk_status status = run(in, out, op == bk::Op::finish);
    closed_ = status == BK_END;
    return status;
}

bk_status Decrypting::run(bk_in& in, bk_out& out, bool finish) {
    if (!payload_) take_header(in);
    if (!payload_) {
        if (finish) throw_truncated("inside its header");
        return BK_OK;
    }
    while (pending_.drain(out)) {
        if (opened_last_) {
            if (in.pos < in.len)
                throw bk::Error(BK_E_CORRUPT, "the age file has bytes after its last chunk",
                                kFetchAgain);
            return finish ? BK_END : BK_OK;
        }
        if (!open_next(in, out, finish)) return BK_OK;
    }
    return BK_NEED_OUTPUT;
}

void Decrypting::take_header(bk_in& in) {
    if (!header_.take(in)) return;
    const Header header = parse_header(header_.text());
    const FileKey file_key = unwrap(header.stanzas, unlock_);
    verify_header(header, file_key);
    payload_.emplace(file_key, header_.nonce());
    header_size_ = header_.size();
}

// Opens one chunk; false when more input is needed for that, which has then all been taken.
bool Decrypting::open_next(bk_in& in, bk_out& out, bool finish) {
    if (partial_.empty() && in.len - in.pos >= kStoredChunk) {
        open({in.data + in.pos, kStoredChunk}, false, out);
        in.pos += kStoredChunk;
        return true;
    }
    const bool whole = collect(partial_, kStoredChunk, in);
    if (!whole && !finish) return false;
    if (partial_.empty()) throw_truncated("before chunk " + std::to_string(chunk_));
    open(partial_, !whole, out);
    partial_.clear();
    return true;
}

void Decrypting::open(View stored, bool only_last, bk_out& out) {
    if (stored.size() < kTagSize) throw_truncated("in chunk " + std::to_string(chunk_));
    const size_t size = stored.size() - kTagSize;
    const bool direct = out.cap - out.pos >= size;
    uint8_t* room = direct ? out.data + out.pos : pending_.fill(size);
    if (only_last || !payload_->open(chunk_, false, stored, room)) {
        opened_last_ = payload_->open(chunk_, true, stored, room);
        const bool allowed = size > 0 || chunk_ == 0; // only a file without content ends so
        if (!opened_last_ || !allowed) throw_damaged_chunk();
    }
    if (direct) out.pos += size;
    ++chunk_;
}

void Decrypting::throw_damaged_chunk() const {
    const uint64_t offset = header_size_ + chunk_ * kStoredChunk;
    throw bk::Error(BK_E_CORRUPT,
                    "the age file is damaged or truncated in chunk " + std::to_string(chunk_) +
                        ", which begins at byte " + std::to_string(offset),
                    kFetchAgain);
}

std::vector<std::string> Decrypting::fingerprints() {
    std::vector<std::string> all;
    for (const Identity& identity : unlock_.identities)
        all.push_back(fingerprint(identity.recipient));
    if (!unlock_.passphrase.empty()) all.emplace_back(kScryptFingerprint);
    return all;
}

bk::Encryptor::Position Decrypting::seek(uint64_t plain_offset) {
    if (!payload_) throw bk::Error(BK_E_INVALID, "age: moved before the header was read");
    partial_.clear();
    pending_.clear();
    opened_last_ = false;
    closed_ = false;
    chunk_ = plain_offset / kPlainChunk;
    return {header_size_ + chunk_ * kStoredChunk, plain_offset % kPlainChunk};
}

uint64_t Decrypting::stored_end(uint64_t plain_end) noexcept {
    return stored_end_of(header_size_, plain_end);
}

} // namespace age_plugin
