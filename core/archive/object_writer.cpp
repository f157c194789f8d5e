#include "core/archive/object_writer.hpp"

#include <bkhost/error.hpp>

#include <algorithm>
#include <cstring>

namespace bkhost {
namespace {
constexpr size_t kEnd = 64 * 1024;
} // namespace

ObjectWriter::ObjectWriter(UploadFan& fan, const std::string& folder, const std::string& name,
                           const DriverPtr& encryptor, const Services& services)
    : fan_(fan) {
    record_.key = name;
    if (encryptor) cipher_ = std::make_unique<Cipher>(encryptor, services, BK_FORWARD);
    upload_ = fan_.begin(folder + name);
}

ObjectWriter::~ObjectWriter() {
    if (part_.data) fan_.recycle(std::move(part_));
}

std::vector<std::string> ObjectWriter::fingerprints() {
    return cipher_ ? cipher_->fingerprints() : std::vector<std::string>{};
}

void ObjectWriter::write(std::span<const uint8_t> packed) {
    record_.packed_size += packed.size();
    if (cipher_)
        run(packed, BK_RUN);
    else
        copy_through(packed);
}

void ObjectWriter::run(std::span<const uint8_t> packed, int32_t op) {
    bk_in in{packed.data(), packed.size(), 0};
    for (;;) {
        if (!part_.data) part_ = fan_.acquire();
        bk_out out{part_.data.get() + part_.size, part_.capacity - part_.size, 0};
        const size_t before = in.pos;
        const bk_status status = cipher_->process(in, out, op);
        store({out.data, out.pos});
        if (status == BK_END || (status == BK_OK && in.pos == in.len && op == BK_RUN)) return;
        if (part_.size == part_.capacity || status == BK_NEED_OUTPUT) {
            if (part_.size < part_.capacity && out.pos == 0 && in.pos == before)
                throw bk::Error(BK_E_INTERNAL, "the encryptor makes no progress");
            if (part_.size == part_.capacity) send_part();
        }
    }
}

void ObjectWriter::copy_through(std::span<const uint8_t> packed) {
    while (!packed.empty()) {
        if (!part_.data) part_ = fan_.acquire();
        const size_t n = std::min(packed.size(), part_.capacity - part_.size);
        uint8_t* at = part_.data.get() + part_.size;
        std::memcpy(at, packed.data(), n);
        store({at, n});
        packed = packed.subspan(n);
        if (part_.size == part_.capacity) send_part();
    }
}

void ObjectWriter::store(std::span<const uint8_t> bytes) {
    sha256_.update(bytes);
    part_.size += bytes.size();
    record_.size += bytes.size();
    if (head_.size() < kEnd)
        head_.insert(head_.end(), bytes.begin(),
                     bytes.begin() +
                         static_cast<ptrdiff_t>(std::min(bytes.size(), kEnd - head_.size())));
}

void ObjectWriter::send_part() {
    if (!part_.data) return;
    if (part_.size == 0 && record_.size > 0) { // the stream ended where a part did
        fan_.recycle(std::exchange(part_, {}));
        return;
    }
    const std::span<const uint8_t> bytes = part_.bytes();
    const size_t n = std::min(bytes.size(), kEnd);
    if (tail_.size() + n > kEnd)
        tail_.erase(tail_.begin(), tail_.begin() + static_cast<ptrdiff_t>(tail_.size() + n - kEnd));
    tail_.insert(tail_.end(), bytes.end() - static_cast<ptrdiff_t>(n), bytes.end());
    fan_.send(upload_, std::exchange(part_, {}));
}

void ObjectWriter::finish() {
    if (cipher_) run({}, BK_FINISH);
    record_.sha256 = sha256_.finish();
    record_.header_size = cipher_ ? cipher_->header_size() : 0;
    if (record_.header_size > head_.size())
        throw bk::Error(BK_E_UNSUPPORTED,
                        "the encryptor's header is larger than " + std::to_string(kEnd) + " bytes",
                        "use fewer recipients");
    record_.header_sha256 = sha256_hex(std::span(head_).first(record_.header_size));
    send_part();
    cipher_.reset();
}

void ObjectWriter::commit() { fan_.commit(upload_, {record_.size, head_, tail_}); }

} // namespace bkhost
