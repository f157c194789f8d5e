#include "shelf_storage.hpp"

#include <algorithm>

namespace synthetic {
namespace {

class ShelfUpload : public bk::Upload {
public:
    ShelfUpload(Shelf& shelf, uint64_t limit, std::string key, uint32_t condition,
                std::string if_version, std::unique_ptr<Content> content)
        : shelf_(shelf), limit_(limit), key_(std::move(key)), if_version_(std::move(if_version)),
          content_(std::move(content)) {
        options_.struct_size = sizeof options_;
        options_.condition = condition;
        options_.if_version = if_version_.c_str();
    }
    ~ShelfUpload() override { shelf_.release(reserved_); }

    void part(bk_part& part, bk::Bytes data) override {
        if (!content_ || part.number != parts_ + 1 || part.offset != content_->size())
            throw bk::Error(BK_E_INVALID, "part " + std::to_string(part.number) + " of '" + key_ +
                                              "' is out of order");
        const uint64_t cost = content_->cost(data.size());
        shelf_.reserve(cost, limit_);
        reserved_ += cost;
        content_->append(data);
        ++parts_;
    }
    bk_object commit(std::span<const bk_part> parts) override {
        uint64_t size = 0;
        for (const bk_part& part : parts)
            size += part.size;
        if (!content_ || parts.size() != parts_ || size != content_->size())
            throw bk::Error(BK_E_CORRUPT, "the parts of '" + key_ + "' are not those that came");
        const bk_object info = shelf_.store(key_, content_, reserved_, options_);
        reserved_ = 0; // the shelf's now
        content_.reset();
        return info;
    }
    void abort() override { content_.reset(); }

private:
    Shelf& shelf_;
    const uint64_t limit_;
    const std::string key_, if_version_;
    bk_put_options options_{};
    std::shared_ptr<Content> content_; // shared: see ContentPtr
    uint64_t reserved_ = 0;
    uint32_t parts_ = 0;
};

class ShelfReader : public bk::Reader {
public:
    ShelfReader(ContentPtr content, uint64_t begin, uint64_t end)
        : content_(std::move(content)), at_(begin), end_(end) {}
    size_t read(std::span<uint8_t> buffer) override {
        if (at_ == end_) return 0;
        const size_t got =
            content_->copy(at_, buffer.first(std::min<uint64_t>(buffer.size(), end_ - at_)));
        at_ += got;
        return got;
    }

private:
    ContentPtr content_;
    uint64_t at_;
    const uint64_t end_;
};

std::string checked(std::string_view key) {
    bool bad = key.empty() || key.size() > 1024;
    for (std::string_view rest = key; !bad && !rest.empty();) {
        const std::string_view part = rest.substr(0, rest.find('/'));
        bad = part.empty() || part == "." || part == ".." || key.back() == '/';
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    }
    if (bad) throw bk::Error(BK_E_INVALID, "'" + std::string(key) + "' is not a key");
    return std::string(key);
}

} // namespace

void ShelfStorage::props(bk_storage_props& props) noexcept {
    props.capabilities = BK_CAP_ATOMIC_REPLACE | BK_CAP_PUT_IF_ABSENT | BK_CAP_PUT_IF_VERSION |
                         BK_CAP_RANGE_READ | BK_CAP_LIST_AFTER_WRITE | BK_CAP_SEQUENTIAL;
    props.min_part_size = 1;
    props.max_part_size = uint64_t{1} << 40;
    props.max_parts = 0;
    props.parallel_parts = 1;
    props.max_object_size = 0;
}

bk_object ShelfStorage::put(std::string_view key, bk::Bytes data, const bk_put_options& options) {
    const std::string name = checked(key);
    const auto content = std::make_shared<WholeContent>(); // shared: see ContentPtr
    content->append(data);
    shelf_.reserve(data.size(), limit_);
    try {
        return shelf_.store(name, content, data.size(), options);
    } catch (const std::exception&) {
        shelf_.release(data.size());
        throw;
    }
}

std::unique_ptr<bk::Upload> ShelfStorage::upload(std::string_view key,
                                                 const bk_put_options& options) {
    return std::make_unique<ShelfUpload>(shelf_, limit_, checked(key), options.condition,
                                         options.if_version != nullptr ? options.if_version : "",
                                         new_content());
}

std::unique_ptr<bk::Reader> ShelfStorage::read(std::string_view key, uint64_t offset, uint64_t len,
                                               const char* if_version) {
    const std::string name = checked(key);
    const std::optional<Shelf::Object> object = shelf_.find(name);
    if (!object) throw bk::Error(BK_E_NOT_FOUND, "no object '" + name + "'");
    if (if_version != nullptr && std::string_view(if_version) != object->info.version)
        throw bk::Error(BK_E_CORRUPT, "object '" + name + "' was replaced");
    const uint64_t size = object->content->size();
    if (offset > size)
        throw bk::Error(BK_E_INVALID,
                        "byte " + std::to_string(offset) + " lies past the end of '" + name + "'");
    return std::make_unique<ShelfReader>(object->content, offset,
                                         offset + std::min(len, size - offset));
}

std::optional<bk_object> ShelfStorage::stat(std::string_view key) {
    const std::optional<Shelf::Object> object = shelf_.find(checked(key));
    return object ? std::optional(object->info) : std::nullopt;
}

void ShelfStorage::list(std::string_view prefix, const char* start_after, const char* delimiter,
                        const Found& found) {
    std::string last; // the folder that was told last
    shelf_.each(prefix, [&](const std::string& key, const Shelf::Object& object) {
        const size_t end =
            delimiter != nullptr ? key.find(delimiter, prefix.size()) : std::string::npos;
        const bool folder = end != std::string::npos;
        const std::string entry =
            folder ? key.substr(0, end + std::string_view(delimiter).size()) : key;
        if ((start_after != nullptr && entry <= start_after) || (folder && entry == last)) return;
        if (folder) last = entry;
        found(entry.c_str(), folder ? bk_object{} : object.info);
    });
}

void ShelfStorage::remove(std::string_view key) { shelf_.remove(checked(key)); }

} // namespace synthetic
