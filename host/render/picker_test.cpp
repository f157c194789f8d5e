#include "host/render/picker.hpp"
#include "host/render/pty_for_test.hpp"

#include <bkhost/error.hpp>
#include <fcntl.h>
#include <future>
#include <gtest/gtest.h>

namespace bkhost {
namespace {

const PickRequest kRequest{
    "backup", "an ID or 'latest'", {"monday", "tuesday\x1b[2J", "wednesday"}};

bk_status status_of(const PickRequest& request, int in, int out, std::stop_token stop = {}) {
    try {
        (void)pick(request, stop, in, out);
    } catch (const bk::Error& error) {
        return error.status();
    }
    return BK_OK;
}

std::future<std::optional<size_t>> ask(const Pty& pty) {
    return std::async(std::launch::async,
                      [&pty] { return pick(kRequest, {}, pty.slave(), pty.slave()); });
}

} // namespace

TEST(Picker, ChoicesAreNumberedAndEscaped) {
    EXPECT_EQ(format_choices({"a", "b\x1b"}), "  1) a\n  2) b\\x1b\n");
    std::vector<std::string> many(10, "x");
    EXPECT_TRUE(format_choices(many).starts_with("   1) x\n"));
    EXPECT_TRUE(format_choices(many).ends_with("  10) x\n"));
}

TEST(Picker, OnlyANumberOfTheListCounts) {
    EXPECT_EQ(parse_choice("1", 3), 0u);
    EXPECT_EQ(parse_choice(" 3 \r\n", 3), 2u);
    for (const char* bad : {"", "0", "4", "-1", "1x", "one", "1 2", "99999999999999999999"})
        EXPECT_FALSE(parse_choice(bad, 3)) << bad;
}

TEST(Picker, AsksUntilThereIsAnAnswer) {
    Pty pty;
    auto answer = ask(pty);
    const std::string shown = pty.read_until("Number, 1 to 3 (empty: none): ");
    EXPECT_NE(shown.find("Which backup?\r\n"), std::string::npos);
    EXPECT_NE(shown.find("  2) tuesday\\x1b[2J\r\n"), std::string::npos);
    pty.type("garbage\n");
    pty.read_until("'garbage' is not a number from 1 to 3.");
    pty.type("9\n");
    pty.read_until("'9' is not a number from 1 to 3.");
    pty.type("2\n");
    EXPECT_EQ(answer.get(), 1u);
}

TEST(Picker, AnEmptyLineIsNoChoice) {
    Pty pty;
    auto answer = ask(pty);
    pty.type(" \n");
    EXPECT_EQ(answer.get(), std::nullopt);
}

TEST(Picker, TheEndOfTheInputIsNoChoice) {
    Pty pty;
    auto answer = ask(pty);
    pty.type("\x04"); // ^D
    EXPECT_EQ(answer.get(), std::nullopt);
}

TEST(Picker, CanBeCancelledWhileItWaits) {
    Pty pty;
    std::stop_source stop;
    auto status = std::async(std::launch::async, [&] {
        return status_of(kRequest, pty.slave(), pty.slave(), stop.get_token());
    });
    pty.read_until("none): ");
    stop.request_stop();
    EXPECT_EQ(status.get(), BK_E_CANCELLED);
    EXPECT_EQ(status_of(kRequest, pty.slave(), pty.slave(), stop.get_token()), BK_E_CANCELLED);
}

TEST(Picker, WithoutATerminalItSaysWhatToGive) {
    const Pty pty;
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    EXPECT_EQ(status_of(kRequest, null, pty.slave()), BK_E_INVALID);
    EXPECT_EQ(status_of(kRequest, pty.slave(), null), BK_E_INVALID);
    try {
        (void)pick(kRequest, {}, null, null);
        ADD_FAILURE() << "asked without a terminal";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.message(), "no backup is named, and there is no terminal to ask on");
        EXPECT_EQ(error.hint(), "give an ID or 'latest'");
    }
    ::close(null);
}

TEST(Picker, NothingToChooseIsAnError) {
    const Pty pty;
    EXPECT_EQ(status_of({"backup", "an ID", {}}, pty.slave(), pty.slave()), BK_E_NOT_FOUND);
}

} // namespace bkhost
