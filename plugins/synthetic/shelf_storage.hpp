// The drivers "null" and "memory": a shelf as a storage.
#pragma once

#include "shelf.hpp"

namespace synthetic {

inline constexpr bk_option kMemoryOptions[] = {
    bk::option("name", BK_OPT_STRING, "instances of one name in one process share their objects",
               "default", nullptr, BK_OPT_URL_TARGET),
    bk::option("max-size", BK_OPT_SIZE, "all objects together, unfinished uploads too", "1GiB",
               "1.."),
};

/// What both have in common. SEQUENTIAL: the parts of an upload come in order. Thread-safe.
class ShelfStorage : public bk::Storage {
public:
    ShelfStorage(Shelf& shelf, uint64_t limit) : shelf_(shelf), limit_(limit) {}

    void props(bk_storage_props& props) noexcept override;
    void probe(const char*) override {}
    bk_object put(std::string_view key, bk::Bytes data, const bk_put_options& options) override;
    std::unique_ptr<bk::Upload> upload(std::string_view key,
                                       const bk_put_options& options) override;
    std::unique_ptr<bk::Reader> read(std::string_view key, uint64_t offset, uint64_t len,
                                     const char* if_version) override;
    std::optional<bk_object> stat(std::string_view key) override;
    void list(std::string_view prefix, const char* start_after, const char* delimiter,
              const Found& found) override;
    void remove(std::string_view key) override;

private:
    /// For the content of an upload; put keeps small objects whole.
    [[nodiscard]] virtual std::unique_ptr<Content> new_content() const = 0;

    Shelf& shelf_;
    const uint64_t limit_;
};

/// Takes everything and keeps the ends; the objects go with the instance.
class NullStorage : private Shelf, public ShelfStorage {
public:
    NullStorage(bk::Host, bk::Config) : ShelfStorage(static_cast<Shelf&>(*this), UINT64_MAX) {}

private:
    [[nodiscard]] std::unique_ptr<Content> new_content() const override {
        return std::make_unique<EndsContent>();
    }
};

class MemoryStorage : public ShelfStorage {
public:
    MemoryStorage(bk::Host, bk::Config config)
        : ShelfStorage(Shelf::named(config.text("name")),
                       static_cast<uint64_t>(config.number("max-size"))) {}

private:
    [[nodiscard]] std::unique_ptr<Content> new_content() const override {
        return std::make_unique<WholeContent>();
    }
};

} // namespace synthetic
