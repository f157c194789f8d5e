// The driver `local`: objects as files under a directory. The contract is in bkhost/storage.h, what
// this driver promises beyond it in README.md.
#pragma once

#include "key.hpp"
#include "root.hpp"

#include <bkhost/storage.hpp>

namespace local {

/// Thread-safe.
class LocalStorage final : public bk::Storage {
public:
    LocalStorage(bk::Host host, bk::Config config);

    void props(bk_storage_props& props) noexcept override;
    void interrupt() noexcept override;
    void probe(const char* source_path) override;
    bk_object put(std::string_view key, bk::Bytes data, const bk_put_options& options) override;
    std::unique_ptr<bk::Upload> upload(std::string_view key,
                                       const bk_put_options& options) override;
    std::unique_ptr<bk::Reader> read(std::string_view key, uint64_t offset, uint64_t len,
                                     const char* if_version) override;
    std::optional<bk_object> stat(std::string_view key) override;
    void list(std::string_view prefix, const char* start_after, const char* delimiter,
              const Found& found) override;
    void remove(std::string_view key) override;

    /// bkhost.storage.uploads: gives how many were aborted.
    uint64_t abort_stale(const char* prefix, int64_t min_age_ms);
    /// bkhost.storage.usage: bytes of the file system that the root lies on.
    struct Space {
        uint64_t free, total;
    };
    [[nodiscard]] Space space();

private:
    Root root_;
    Interrupts interrupts_ = 0;
};

} // namespace local
