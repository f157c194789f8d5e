#include "core/archive/object_reader.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <array>

namespace bkhost {
namespace {
constexpr size_t kStoredBuffer = 1024 * 1024;
const char* const kDamagedHint =
    "this copy is damaged: restore from another storage, or an older backup";
} // namespace

ObjectReader::ObjectReader(const ArchiveAccess& access, const ObjectRecord& record, uint64_t begin,
                           uint64_t end)
    : ObjectReader(access, record, begin, end, false) {}

ObjectReader::ObjectReader(const ArchiveAccess& access, const ObjectRecord& record)
    : ObjectReader(access, record, 0, record.packed_size, true) {}

ObjectReader::ObjectReader(const ArchiveAccess& access, const ObjectRecord& record, uint64_t begin,
                           uint64_t end, bool hashed)
    : access_(access), record_(record), object_("storage '" + access.storage.name() +
                                                "', object '" + access.folder + record.key + "'"),
      left_(end - begin), whole_tail_(end == record.packed_size) {
    if (hashed) hash_.emplace();
    if (begin > end || end > record.packed_size) corrupt("the index points outside the object");
    const std::optional<ObjectInfo> info = access_.storage.stat(access_.folder + record_.key);
    if (!info) corrupt("the object is missing", kDamagedHint);
    if (info->size != record_.size)
        corrupt("has " + std::to_string(info->size) + " bytes, the manifest says " +
                    std::to_string(record_.size),
                kDamagedHint);
    version_ = info->version;
    if (access_.encryptor)
        open_cipher(begin, end);
    else
        open_plain(begin, end);
}

ObjectReader::~ObjectReader() = default;

void ObjectReader::corrupt(const std::string& what, const std::string& hint) const {
    throw bk::Error(BK_E_CORRUPT, object_ + ": " + what, hint);
}

void ObjectReader::open_plain(uint64_t begin, uint64_t end) {
    if (begin == 0 && whole_tail_ && !hash_) hash_.emplace();
    if (begin == end) return;
    reader_ = access_.storage.read(access_.folder + record_.key, begin, end - begin, version_);
}

void ObjectReader::open_cipher(uint64_t begin, uint64_t end) {
    const std::string key = access_.folder + record_.key;
    cipher_ = std::make_unique<Cipher>(access_.encryptor, access_.services, BK_REVERSE);
    stored_.resize(kStoredBuffer);
    if (!cipher_->can_seek() || record_.header_size == 0) { // from the first byte on
        reader_ = access_.storage.read(key, 0, UINT64_MAX, version_);
        check_keys();
        skip_ = begin;
        stored_tail_ = true;
        return;
    }
    std::vector<uint8_t> header(record_.header_size);
    reader_ = access_.storage.read(key, 0, header.size(), version_);
    for (size_t done = 0; done < header.size();) {
        const size_t got = reader_->read(std::span(header).subspan(done));
        if (got == 0) corrupt("ends within its header", kDamagedHint);
        done += got;
    }
    check_header(header);
    if (hash_) hash_->update(header);
    const Cipher::Position position = cipher_->seek(begin);
    skip_ = position.skip;
    const uint64_t stored_end =
        whole_tail_ ? record_.size : std::min(record_.size, cipher_->stored_end(end));
    if (hash_ && position.stored_offset != header.size())
        throw bk::Error(BK_E_INTERNAL, object_ + ": its data do not begin behind the header");
    if (position.stored_offset > stored_end) corrupt("is shorter than its packed size needs");
    stored_tail_ = stored_end == record_.size;
    reader_ = access_.storage.read(key, position.stored_offset, stored_end - position.stored_offset,
                                   version_);
}

/// A flipped bit in a header looks like a wrong key to the cipher: the digest of the header and the
/// fingerprints of the keys, both in the manifest, tell the two apart.
void ObjectReader::check_header(std::span<const uint8_t> header) {
    if (sha256_hex(header) != record_.header_sha256) corrupt("the header is damaged", kDamagedHint);
    check_keys();
    std::array<uint8_t, 1> nothing{};
    try {
        cipher_->run(header, BK_RUN, nothing, [](std::span<const uint8_t>) {});
    } catch (const bk::Error& e) {
        throw bk::Error(e.status(), object_ + ": " + e.what(), e.hint());
    }
}

void ObjectReader::check_keys() {
    const std::vector<std::string> held = cipher_->fingerprints();
    const std::vector<std::string>& wanted = access_.key_fingerprints;
    if (held.empty() || wanted.empty()) return;
    const bool fits = std::ranges::any_of(held, [&](const std::string& key) {
        return std::ranges::find(wanted, key) != wanted.end();
    });
    if (fits) return;
    std::string list;
    for (const std::string& key : wanted)
        list += (list.empty() ? "" : ", ") + key;
    throw bk::Error(BK_E_DENIED, object_ + ": wrong key: it was encrypted for " + list,
                    "give the identity that belongs to it with --identity FILE");
}

bool ObjectReader::refill() {
    if (stored_end_) return false;
    const size_t got = reader_->read(stored_);
    access_.observer.add_stored(got);
    if (hash_) hash_->update(std::span(stored_).first(got));
    stored_size_ = got;
    stored_pos_ = 0;
    stored_end_ = got == 0;
    return !stored_end_;
}

size_t ObjectReader::decrypt(std::span<uint8_t> buffer) {
    for (;;) {
        if (cipher_end_) return 0;
        if (!cipher_full_) { // else it may still hold what the stored bytes before gave
            if (stored_pos_ == stored_size_ && !stored_end_) (void)refill();
            if (stored_end_ && !stored_tail_) return 0; // the range ends inside the object
        }
        bk_in in{stored_.data(), stored_size_, stored_pos_};
        bk_out out{buffer.data(), buffer.size(), 0};
        try {
            const bk_status status = cipher_->process(in, out, stored_end_ ? BK_FINISH : BK_RUN);
            cipher_end_ = status == BK_END;
            cipher_full_ = status == BK_NEED_OUTPUT;
        } catch (const bk::Error& e) {
            throw bk::Error(e.status(), object_ + ": " + e.what(),
                            e.hint().empty() ? kDamagedHint : e.hint());
        }
        stored_pos_ = in.pos;
        if (out.pos > 0) return out.pos;
    }
}

size_t ObjectReader::read(std::span<uint8_t> buffer) {
    size_t done = 0;
    while (done < buffer.size() && left_ > 0) {
        const std::span<uint8_t> room =
            buffer.subspan(done, std::min<uint64_t>(buffer.size() - done, left_));
        size_t got = 0;
        if (!cipher_) {
            got = reader_->read(room);
            if (hash_) hash_->update(room.first(got));
            access_.observer.add_stored(got);
        } else if (skip_ > 0) {
            std::array<uint8_t, 64 * 1024> skipped;
            const size_t n =
                decrypt(std::span(skipped).first(std::min<uint64_t>(skip_, skipped.size())));
            if (n == 0) corrupt("ends before the wanted range", kDamagedHint);
            skip_ -= n;
            continue;
        } else {
            got = decrypt(room);
        }
        if (got == 0) corrupt("ends too early", kDamagedHint);
        done += got;
        left_ -= got;
    }
    return done;
}

void ObjectReader::check_end() {
    if (whole_tail_ && cipher_ && !cipher_end_) {
        std::array<uint8_t, 1> more{};
        if (left_ > 0 || decrypt(more) != 0 || !cipher_end_)
            corrupt("holds more than the manifest says", kDamagedHint);
    }
    if (hash_ && hash_->finish() != record_.sha256) corrupt("its sha256 differs", kDamagedHint);
    hash_.reset();
}

} // namespace bkhost
