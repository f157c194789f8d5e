// What is kept of one object: all of it, or only its ends.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace synthetic {

using Bytes = std::span<const uint8_t>;

/// Filled by one thread; once it is complete, only read and so thread-safe.
class Content {
public:
    Content() = default;
    Content(const Content&) = delete;
    Content& operator=(const Content&) = delete;
    virtual ~Content() = default;

    void append(Bytes data) {
        keep(data);
        size_ += data.size();
    }
    [[nodiscard]] uint64_t size() const noexcept { return size_; }
    /// Copies 1..to.size() bytes from `offset`, which lies before the end; UNSUPPORTED where they
    /// were not kept.
    [[nodiscard]] virtual size_t copy(uint64_t offset, std::span<uint8_t> to) const = 0;
    /// Bytes of memory that `more` further bytes of content take.
    [[nodiscard]] virtual uint64_t cost(uint64_t more) const noexcept = 0;

protected:
    virtual void keep(Bytes data) = 0;

private:
    uint64_t size_ = 0;
};

class WholeContent : public Content {
public:
    [[nodiscard]] size_t copy(uint64_t offset, std::span<uint8_t> to) const override;
    [[nodiscard]] uint64_t cost(uint64_t more) const noexcept override { return more; }

private:
    void keep(Bytes data) override;
    struct Chunk {
        uint64_t offset;
        std::vector<uint8_t> bytes;
    };
    std::vector<Chunk> chunks_; ///< as they came: no copies for growth
};

/// The first and the last kEnd bytes: what a backup reads back.
class EndsContent : public Content {
public:
    static constexpr uint64_t kEnd = 64 * 1024;
    [[nodiscard]] size_t copy(uint64_t offset, std::span<uint8_t> to) const override;
    [[nodiscard]] uint64_t cost(uint64_t) const noexcept override { return 0; }

private:
    void keep(Bytes data) override;
    std::vector<uint8_t> head_, tail_;
};

} // namespace synthetic
