// Memory that is wiped when it goes: keys of fixed size, and texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace age_plugin {

/// Overwrites in a way that the compiler does not leave out. Thread-safe.
void wipe(void* data, size_t size) noexcept;

/// N secret bytes; every copy wipes itself.
template <size_t N>
class SecretBytes : public std::array<uint8_t, N> {
public:
    SecretBytes() noexcept : std::array<uint8_t, N>{} {}
    SecretBytes(const SecretBytes&) = default;
    SecretBytes& operator=(const SecretBytes&) = default;
    ~SecretBytes() { wipe(this->data(), N); }
};

/// A secret text. Never grows, so that no old buffer is left behind; wiped over its whole capacity,
/// for a moved-from or shortened one keeps bytes past its end.
class SecretText {
public:
    SecretText() = default;
    /// Takes the text over and wipes where it came from.
    explicit SecretText(std::string&& text) noexcept : text_(std::move(text)) { clear(text); }
    SecretText(SecretText&&) = default;
    SecretText& operator=(SecretText&&) = delete;
    ~SecretText() { clear(text_); }
    [[nodiscard]] std::string_view reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

private:
    static void clear(std::string& text) noexcept {
        text.resize(text.capacity());
        wipe(text.data(), text.size());
    }

    std::string text_;
};

} // namespace age_plugin
