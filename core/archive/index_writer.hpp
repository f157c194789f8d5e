// Writes the index while the dump runs: lines into small frames, packed and encrypted as a volume
// is.
#pragma once

#include "core/archive/index_records.hpp"
#include "core/archive/object_writer.hpp"
#include "core/pipeline/framer.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace bkhost {

/// add(), meta() and proof() are thread-safe, the rest confined to the writer's thread.
class IndexWriter final : public DumpRecords {
public:
    IndexWriter(std::unique_ptr<ObjectWriter> object, const DriverPtr& compressor,
                const Services& services, const std::string& archive_id);

    void add(const IndexRecord& record);
    void meta(const std::string& key, const std::string& json) override;
    void proof(const std::string& namespace_name, const std::string& table,
               const RowSum& sum) override;

    /// Every line is sent; the object's record is whole but for its visibility.
    ObjectRecord finish();
    void commit() { object_->commit(); }
    /// Whether any row proof was recorded, and of all of it.
    [[nodiscard]] bool has_proof() const;
    [[nodiscard]] RowSum proven() const;

private:
    void add_line(const std::string& line); ///< with the mutex held
    void flush();

    std::unique_ptr<ObjectWriter> object_;
    std::unique_ptr<Codec> codec_;
    mutable std::mutex mutex_;
    std::string lines_;
    std::vector<uint8_t> packed_;
    uint64_t plain_size_ = 0;
    bool has_proof_ = false;
    RowSum proven_;
};

} // namespace bkhost
