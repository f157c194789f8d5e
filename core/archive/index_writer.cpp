#include "core/archive/index_writer.hpp"

#include <bkhost/error.hpp>
#include <nlohmann/json.hpp>

namespace bkhost {
namespace {
constexpr size_t kFrame = 256 * 1024; // plain bytes of an index frame, about
} // namespace

IndexWriter::IndexWriter(std::unique_ptr<ObjectWriter> object, const DriverPtr& compressor,
                         const Services& services, const std::string& archive_id)
    : object_(std::move(object)) {
    if (compressor) codec_ = std::make_unique<Codec>(compressor, services, BK_FORWARD);
    add(IndexBegin{archive_id});
}

void IndexWriter::add(const IndexRecord& record) {
    const std::string line = index_line(record);
    const std::lock_guard lock(mutex_);
    add_line(line);
}

void IndexWriter::meta(const std::string& key, const std::string& json) {
    if (!nlohmann::json::accept(json))
        throw bk::Error(BK_E_INVALID, "the dumper's meta '" + key + "' is not JSON");
    add(IndexMeta{0, key, json});
}

void IndexWriter::proof(const std::string& namespace_name, const std::string& table,
                        const RowSum& sum) {
    const std::string line = index_line(IndexProof{0, namespace_name, table, sum});
    const std::lock_guard lock(mutex_);
    has_proof_ = true;
    proven_.add(sum);
    add_line(line);
}

void IndexWriter::add_line(const std::string& line) {
    lines_ += line;
    if (lines_.size() >= kFrame) flush();
}

void IndexWriter::flush() {
    if (lines_.empty()) return;
    const std::span<const uint8_t> plain = as_bytes(lines_);
    plain_size_ += plain.size();
    if (codec_) {
        const size_t size = codec_->frame(plain, packed_);
        object_->write(std::span<const uint8_t>(packed_).first(size));
    } else {
        object_->write(plain);
    }
    lines_.clear();
}

ObjectRecord IndexWriter::finish() {
    const std::lock_guard lock(mutex_);
    flush();
    object_->finish();
    ObjectRecord record = object_->record();
    record.plain_size = plain_size_;
    return record;
}

bool IndexWriter::has_proof() const {
    const std::lock_guard lock(mutex_);
    return has_proof_;
}

RowSum IndexWriter::proven() const {
    const std::lock_guard lock(mutex_);
    return proven_;
}

} // namespace bkhost
