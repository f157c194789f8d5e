// The two hashes of the archive: SHA-256 of stored bytes, XXH3-128 of plain ones.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace bkhost {

/// Running SHA-256. Confined to one thread.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;
    void update(std::span<const uint8_t> bytes);
    /// 64 hex digits; starts anew afterwards.
    [[nodiscard]] std::string finish();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

[[nodiscard]] std::string sha256_hex(std::span<const uint8_t> bytes);

/// XXH3-128 with seed 0, 32 hex digits of its canonical (big-endian) form.
[[nodiscard]] std::string xxh3_hex(std::span<const uint8_t> bytes);

/// Running XXH3-128. Confined to one thread.
class Xxh3 {
public:
    Xxh3();
    ~Xxh3();
    void update(std::span<const uint8_t> bytes);
    [[nodiscard]] std::string finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

inline std::span<const uint8_t> as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

} // namespace bkhost
