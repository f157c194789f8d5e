// A chunk is sealed as soon as a byte after it is known, or as the last one at FINISH. Whole chunks
// go from the caller's buffer to the caller's buffer; only what straddles two calls is copied.
#include "encrypting.hpp"

#include "stanzas.hpp"

#include <algorithm>
#include <limits>

namespace age_plugin {

uint64_t stored_end_of(uint64_t header_size, uint64_t plain_end) noexcept {
    const uint64_t chunks =
        std::max<uint64_t>(plain_end / kPlainChunk + (plain_end % kPlainChunk != 0 ? 1 : 0), 1);
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    if (chunks > (kMost - header_size) / kStoredChunk) return kMost;
    return header_size + chunks * kStoredChunk;
}

Encrypting::Encrypting(Lock lock) : lock_(std::move(lock)) {
    if (!lock_.passphrase.empty() && !lock_.recipients.empty())
        throw bk::Error(BK_E_CONFIG, "age: a passphrase cannot stand beside recipients",
                        "give one of the two");
    if (lock_.passphrase.empty() && lock_.recipients.empty())
        throw bk::Error(BK_E_CONFIG, "age: nobody to encrypt to",
                        "set 'recipients', 'recipients-files' or 'passphrase'");
    partial_.reserve(kPlainChunk);
}

bk_status Encrypting::process(bk_in& in, bk_out& out, bk::Op op) {
    if (closed_) throw bk::Error(BK_E_INVALID, "age: called again after the end or a failure");
    if (op == bk::Op::flush)
        throw bk::Error(BK_E_UNSUPPORTED, "age cannot flush: its chunks have one size");
    if (!payload_) begin();
    const bool finish = op == bk::Op::finish;
    while (pending_.drain(out)) {
        if (sealed_last_) {
            closed_ = true;
            if (in.pos < in.len || !finish)
                throw bk::Error(BK_E_INVALID, "age: the input went on after its end was announced");
            return BK_END;
        }
        if (!seal_next(in, out, finish)) return BK_OK;
    }
    return BK_NEED_OUTPUT;
}

// Header and nonce. Here and not in create, for scrypt is slow on purpose.
void Encrypting::begin() {
    closed_ = true; // should anything below fail
    FileKey file_key;
    random_bytes(file_key);
    std::vector<Stanza> stanzas;
    for (const Point& recipient : lock_.recipients)
        stanzas.push_back(wrap_x25519(file_key, recipient));
    if (!lock_.passphrase.empty())
        stanzas.push_back(wrap_scrypt(file_key, lock_.passphrase.reveal(), lock_.work_factor));
    const std::string text = write_header(stanzas, file_key);
    PayloadNonce nonce;
    random_bytes(nonce);
    header_size_ = text.size() + nonce.size();
    uint8_t* room = pending_.fill(header_size_);
    std::copy(nonce.begin(), nonce.end(), std::copy(text.begin(), text.end(), room));
    payload_.emplace(file_key, nonce);
    closed_ = false;
}

// Seals one chunk; false when more input is needed for that, which has then all been taken.
bool Encrypting::seal_next(bk_in& in, bk_out& out, bool finish) {
    const size_t left = in.len - in.pos;
    if (partial_.empty() && (left > kPlainChunk || finish)) {
        const size_t size = std::min(left, kPlainChunk);
        const bool last = finish && size == left;
        seal({in.data + in.pos, size}, last, out);
        in.pos += size;
        return true;
    }
    collect(partial_, kPlainChunk, in);
    const bool at_end = in.pos == in.len;
    if (at_end && !finish) return false;
    seal(partial_, at_end, out);
    partial_.clear();
    return true;
}

void Encrypting::seal(View plain, bool last, bk_out& out) {
    const size_t size = plain.size() + kTagSize;
    const bool direct = out.cap - out.pos >= size;
    payload_->seal(chunk_, last, plain, direct ? out.data + out.pos : pending_.fill(size));
    if (direct) out.pos += size;
    sealed_last_ = last;
    ++chunk_;
}

std::vector<std::string> Encrypting::fingerprints() {
    std::vector<std::string> all;
    for (const Point& recipient : lock_.recipients)
        all.push_back(fingerprint(recipient));
    if (!lock_.passphrase.empty()) all.emplace_back(kScryptFingerprint);
    return all;
}

bk::Encryptor::Position Encrypting::seek(uint64_t) {
    throw bk::Error(BK_E_INVALID, "age: only a reader can be moved");
}

uint64_t Encrypting::stored_end(uint64_t plain_end) noexcept {
    return stored_end_of(header_size_, plain_end);
}

} // namespace age_plugin
