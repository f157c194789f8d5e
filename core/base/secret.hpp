// A text that wipes itself and cannot be printed.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace bkhost {

/// Holds a secret; copies are explicit through reveal(). Wiped when destroyed or moved from.
/// Confined as any value.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    Secret(Secret&& other) noexcept : text_(std::exchange(other.text_, {})) { other.wipe(); }
    Secret& operator=(Secret other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~Secret() { wipe(); }

    /// The text itself, for the call that needs it.
    [[nodiscard]] const std::string& reveal() const noexcept { return text_; }
    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

private:
    void wipe() noexcept;
    std::string text_;
};

} // namespace bkhost
