// A pseudo terminal for tests: what is written to slave() is read from the other end, and the other
// way round. Included by *_test.cpp files only.
#pragma once

#include <array>
#include <chrono>
#include <cstdlib>
#include <poll.h>
#include <pty.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace bkhost {

class Pty {
public:
    explicit Pty(unsigned short columns = 80) {
        ::setenv("TERM", "xterm", 1);
        ::unsetenv("NO_COLOR");
        winsize size{24, columns, 0, 0};
        if (::openpty(&master_, &slave_, nullptr, nullptr, &size) != 0)
            throw std::runtime_error("no pseudo terminal");
    }
    Pty(const Pty&) = delete;
    Pty& operator=(const Pty&) = delete;
    ~Pty() {
        ::close(master_);
        ::close(slave_);
    }
    [[nodiscard]] int slave() const { return slave_; }

    void type(std::string_view text) const {
        if (::write(master_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            throw std::runtime_error("cannot type");
    }
    /// All that was shown since the last call, up to and with `text`; throws after ten seconds.
    std::string read_until(std::string_view text) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (std::chrono::steady_clock::now() < deadline) {
            if (const size_t at = shown_.find(text); at != std::string::npos) {
                const std::string out = shown_.substr(0, at + text.size());
                shown_.erase(0, out.size());
                return out;
            }
            read_more(1000);
        }
        throw std::runtime_error("never shown; there is: " + shown_);
    }
    /// What was shown and not read yet.
    std::string read_rest() {
        while (read_more(0)) {
        }
        return std::exchange(shown_, {});
    }

private:
    bool read_more(int timeout_ms) {
        pollfd waiting{master_, POLLIN, 0};
        if (::poll(&waiting, 1, timeout_ms) != 1) return false;
        std::array<char, 4096> bytes{};
        const ssize_t got = ::read(master_, bytes.data(), bytes.size());
        if (got > 0) shown_.append(bytes.data(), static_cast<size_t>(got));
        return got > 0;
    }
    int master_ = -1, slave_ = -1;
    std::string shown_;
};

} // namespace bkhost
