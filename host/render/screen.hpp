// Standard error as one place that messages and the progress line share. It knows nothing of what
// is written.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace bkhost {

/// Writes all of it, also where a write is interrupted, short, or has to wait. False: it could not.
bool write_all(int fd, std::string_view bytes) noexcept;

/// Writes lines to a descriptor and, on a terminal, keeps one status line below them that is
/// cleared and drawn again around each. What cannot be written is dropped: there is nobody left to
/// tell. Thread-safe. The descriptor is borrowed.
class Screen {
public:
    /// Asks the descriptor whether it is a terminal, and TERM and NO_COLOR what it can do.
    explicit Screen(int fd);
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;
    /// Clears the status line.
    ~Screen();

    /// Whether a line can be drawn over: a terminal, and TERM is not "dumb" or empty.
    [[nodiscard]] bool can_redraw() const noexcept { return can_redraw_; }
    /// Whether colours are welcome: can_redraw, and NO_COLOR is absent or empty.
    [[nodiscard]] bool has_colours() const noexcept { return has_colours_; }
    /// Columns now; 80 when nobody knows.
    [[nodiscard]] size_t width() const;

    /// Writes `text`, already escaped, and a line feed if it does not end in one.
    void write_line(std::string_view text);
    /// Draws the status line anew, cut to the width; an empty text removes it. Nothing happens
    /// where can_redraw() is false.
    void set_status(std::string_view text);

private:
    const int fd_;
    bool can_redraw_ = false;
    bool has_colours_ = false;
    std::mutex mutex_; ///< guards status_ and the order of writes
    std::string status_;
};

} // namespace bkhost
