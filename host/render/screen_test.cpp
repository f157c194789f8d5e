#include "host/render/pty_for_test.hpp"
#include "host/render/screen.hpp"
#include "host/render/terminal_log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <thread>

namespace bkhost {
namespace {

struct Pipe {
    Pipe() {
        if (::pipe(fds) != 0) throw std::runtime_error("no pipe");
    }
    ~Pipe() {
        ::close(fds[0]);
        if (fds[1] >= 0) ::close(fds[1]);
    }
    /// All that was written; closes the writing end.
    std::string all() {
        ::close(std::exchange(fds[1], -1));
        std::string out;
        std::array<char, 4096> bytes{};
        for (ssize_t got; (got = ::read(fds[0], bytes.data(), bytes.size())) > 0;)
            out.append(bytes.data(), static_cast<size_t>(got));
        return out;
    }
    int fds[2]{-1, -1};
};

} // namespace

TEST(Screen, TerminalIsRecognised) {
    const Pty pty(57);
    const Screen screen(pty.slave());
    EXPECT_TRUE(screen.can_redraw());
    EXPECT_TRUE(screen.has_colours());
    EXPECT_EQ(screen.width(), 57u);
}

TEST(Screen, NoColorAndDumbTerminalsAreRespected) {
    const Pty pty;
    ::setenv("NO_COLOR", "1", 1);
    const Screen plain(pty.slave());
    ::setenv("TERM", "dumb", 1);
    const Screen dumb(pty.slave());
    ::unsetenv("NO_COLOR");
    ::setenv("TERM", "xterm", 1);
    EXPECT_TRUE(plain.can_redraw());
    EXPECT_FALSE(plain.has_colours());
    EXPECT_FALSE(dumb.can_redraw());
    EXPECT_FALSE(dumb.has_colours());
}

TEST(Screen, StatusIsClearedAndDrawnAgainAroundALine) {
    Pty pty(10);
    Screen screen(pty.slave());
    screen.set_status("working hard"); // cut: the last column stays free
    EXPECT_EQ(pty.read_until("\x1b[K"), "\rworking h\x1b[K");
    screen.write_line("note");
    EXPECT_EQ(pty.read_until("working h"), "\r\x1b[Knote\r\nworking h");
    screen.set_status("");
    EXPECT_EQ(pty.read_until("\x1b[K"), "\r\x1b[K");
    screen.write_line("end\n");
    EXPECT_EQ(pty.read_until("\n"), "end\r\n");
}

TEST(Screen, StatusIsRemovedAtTheEnd) {
    Pty pty;
    {
        Screen screen(pty.slave());
        screen.set_status("busy");
    }
    EXPECT_TRUE(pty.read_rest().ends_with("\r\x1b[K"));
}

TEST(Screen, APipeGetsLinesOnly) {
    Pipe pipe;
    Screen screen(pipe.fds[1]);
    EXPECT_FALSE(screen.can_redraw());
    EXPECT_EQ(screen.width(), 80u);
    screen.set_status("busy");
    screen.write_line("one");
    EXPECT_EQ(pipe.all(), "one\n");
}

TEST(Screen, AFullPipeThatDoesNotBlockLosesNothing) {
    Pipe pipe;
    ::fcntl(pipe.fds[1], F_SETFL, O_NONBLOCK);
    const std::string much(1 << 20, 'x'); // more than a pipe holds
    bool whole = false;
    std::thread writer([&] { whole = write_all(pipe.fds[1], much); });
    std::string got(much.size(), '\0');
    for (size_t at = 0; at < got.size();) {
        const ssize_t n = ::read(pipe.fds[0], got.data() + at, got.size() - at);
        ASSERT_GT(n, 0);
        at += static_cast<size_t>(n);
    }
    writer.join();
    EXPECT_TRUE(whole);
    EXPECT_EQ(got, much);
}

TEST(Screen, AClosedDescriptorIsReported) { EXPECT_FALSE(write_all(-1, "x")); }

TEST(LogLine, HasAPrefixByLevel) {
    EXPECT_EQ(format_log_line(LogLevel::debug, "d", false), "debug: d");
    EXPECT_EQ(format_log_line(LogLevel::info, "i", true), "i");
    EXPECT_EQ(format_log_line(LogLevel::warn, "w", false), "warning: w");
    EXPECT_EQ(format_log_line(LogLevel::warn, "w", true), "\x1b[33mwarning:\x1b[0m w");
    EXPECT_EQ(format_log_line(LogLevel::error, "e\x1b\nf", false), "error: e\\x1b\n  f");
}

TEST(TerminalLog, ShowsWhatTheVerbosityAsksFor) {
    const auto shown = [](Verbosity verbosity) {
        Pipe pipe;
        Screen screen(pipe.fds[1]);
        TerminalLog log(screen, verbosity);
        log.debug("d");
        log.info("i");
        log.warn("w");
        log.write(LogLevel::error, "e");
        return pipe.all();
    };
    EXPECT_EQ(shown(Verbosity::quiet), "warning: w\nerror: e\n");
    EXPECT_EQ(shown(Verbosity::normal), "i\nwarning: w\nerror: e\n");
    EXPECT_EQ(shown(Verbosity::verbose), "debug: d\ni\nwarning: w\nerror: e\n");
}

} // namespace bkhost
