// The three forms of a secret: what they give, how they fail, and that a failure does not tell it.
#include "host/config/secret_value.hpp"

#include "host/config/config_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bkhost {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = SecretForm::Kind;
using Words = std::vector<std::string>;

class SecretSource : public testing::Test {
protected:
    SecretSource() { env_.variables = {{"PW", "canary"}, {"EMPTY", ""}, {"HOME", folder_.path()}}; }

    std::string read(Kind kind, const Words& words) {
        return read_secret({kind, words}, folder_.path(), env_.get()).reveal();
    }
    std::string error(Kind kind, const Words& words) {
        return error_of([&] { (void)read(kind, words); });
    }
    /// As `sh -c script`: the tests need programs that misbehave.
    std::string shell(const std::string& script) {
        return read(Kind::command, {"sh", "-c", script});
    }
    std::string shell_error(const std::string& script) {
        return error(Kind::command, {"sh", "-c", script});
    }

    TempFolder folder_;
    TestEnvironment env_;
};

TEST_F(SecretSource, Variables) {
    EXPECT_EQ(read(Kind::env, {"PW"}), "canary");
    EXPECT_THAT(error(Kind::env, {"NONE"}), HasSubstr("'NONE' is not set or empty"));
    EXPECT_THAT(error(Kind::env, {"EMPTY"}), HasSubstr("'EMPTY' is not set or empty"));
}

TEST_F(SecretSource, FilesLoseOneLineEnd) {
    folder_.write("pw", "canary\n");
    EXPECT_EQ(read(Kind::file, {"pw"}), "canary");
    EXPECT_EQ(read(Kind::file, {folder_.path("pw")}), "canary");
    EXPECT_EQ(read(Kind::file, {"~/pw"}), "canary");
    EXPECT_EQ(read(Kind::file, {folder_.write("crlf", "a\r\n")}), "a");
    EXPECT_EQ(read(Kind::file, {folder_.write("two", " a \n\n")}), " a \n");
    EXPECT_EQ(read(Kind::file, {folder_.write("group", "a", 0640)}), "a");
}

TEST_F(SecretSource, FilesThatAreRefused) {
    for (mode_t mode : {0604, 0602, 0644})
        EXPECT_THAT(error(Kind::file, {folder_.write("open", "canary", mode)}),
                    HasSubstr("everybody has access to the secret's file"));
    EXPECT_THAT(error(Kind::file, {"none"}), HasSubstr("No such file"));
    EXPECT_THAT(error(Kind::file, {"."}), HasSubstr("is a folder"));
    EXPECT_THAT(error(Kind::file, {"/dev/null"}), HasSubstr("is not an ordinary file"));
    EXPECT_THAT(error(Kind::file, {folder_.write("empty", "\n")}),
                HasSubstr("gives an empty secret"));
    const std::string big(kMaxSecretBytes + 1, 'x');
    EXPECT_THAT(error(Kind::file, {folder_.write("big", big)}), HasSubstr("larger than 64 KiB"));
    EXPECT_EQ(read(Kind::file, {folder_.write("fits", big.substr(1))}).size(), kMaxSecretBytes);
}

TEST_F(SecretSource, CommandsGetTheirArgumentsUntouched) {
    EXPECT_EQ(read(Kind::command, {"printf", "%s|%s\\n", "a b", "$HOME;*"}), "a b|$HOME;*");
    folder_.write("tool", "#!/bin/sh\necho \"$1\"\n", 0700);
    EXPECT_EQ(read(Kind::command, {folder_.path("tool"), "x"}), "x");
}

TEST_F(SecretSource, CommandsGetNoInputAndNoDescriptors) {
    EXPECT_EQ(shell("cat; echo end"), "end");
    const int leaked = ::open("/dev/null", O_RDONLY); // without CLOEXEC
    const std::string listed = shell("ls /proc/self/fd | tr '\\n' ' '");
    ::close(leaked);
    EXPECT_EQ(listed, "0 1 2 3 "); // 3: ls's own
}

TEST_F(SecretSource, BothOutputsAreReadAtOnce) {
    const std::string noise = "i=0; while [ $i -lt 3000 ]; do echo "
                              "0123456789012345678901234567890123456789012345678901234567890 >&2; "
                              "i=$((i+1)); done; ";
    EXPECT_EQ(shell(noise + "echo canary"), "canary"); // 180 KB would fill a pipe
}

TEST_F(SecretSource, CommandsThatFail) {
    EXPECT_EQ(shell_error("echo canary; echo >&2 no such entry; exit 3"),
              "the command 'sh' failed: exit status 3; it said: no such entry");
    EXPECT_EQ(shell_error("exit 9"), "the command 'sh' failed: exit status 9; "
                                     "it said nothing on its standard error");
    EXPECT_THAT(shell_error("kill -9 $$"), HasSubstr("failed: killed by signal 9"));
    EXPECT_THAT(shell_error("true"), HasSubstr("the command 'sh' gives an empty secret"));
    EXPECT_THAT(shell_error("echo"), HasSubstr("gives an empty secret"));
    EXPECT_EQ(error(Kind::command, {"bkhost-no-such-program", "canary"}),
              "the command 'bkhost-no-such-program' cannot be run: it is not in PATH");
    EXPECT_THAT(error(Kind::command, {"/no/such/program"}), HasSubstr("cannot be run: "));
    EXPECT_THAT(error(Kind::command, {folder_.write("data", "x", 0600)}),
                HasSubstr("cannot be run"));
}

TEST_F(SecretSource, CommandsThatPrintTooMuch) {
    EXPECT_THAT(error(Kind::command, {"head", "-c", "65537", "/dev/zero"}),
                HasSubstr("printed more than 64 KiB"));
    EXPECT_THAT(shell_error("yes canary"), HasSubstr("printed more than 64 KiB"));
    EXPECT_EQ(read(Kind::command, {"head", "-c", "65536", "/dev/zero"}).size(), kMaxSecretBytes);
}

TEST_F(SecretSource, CommandsThatDoNotEndAreKilledWithTheirChildren) {
    Environment environment = env_.get();
    environment.command_limit = std::chrono::milliseconds(200);
    const auto failure = [&](const std::string& script) {
        return error_of([&] { (void)run_secret_command({"sh", "-c", script}, environment); });
    };
    EXPECT_THAT(failure("tail -f /dev/null"), HasSubstr("'sh' did not end within 200ms"));
    EXPECT_THAT(failure("echo canary; exec >/dev/null 2>&1; tail -f /dev/null"),
                HasSubstr("did not end"));
    const std::string pid = folder_.path("pid");
    EXPECT_THAT(failure("tail -f /dev/null & echo $! > " + pid + "; wait"),
                HasSubstr("did not end"));
    pid_t child = 0;
    std::ifstream(pid) >> child;
    ASSERT_GT(child, 0);
    const int ending = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
    if (ending < 0) return; // it is gone
    pollfd ended{ending, POLLIN, 0};
    EXPECT_EQ(::poll(&ended, 1, 10'000), 1) << "still running";
    ::close(ending);
}

TEST_F(SecretSource, WhatACommandLeavesBehindDoesNotHoldItUp) {
    env_.variables["X"] = "";
    EXPECT_EQ(shell("tail -f /dev/null & echo canary"), "canary");
}

TEST_F(SecretSource, AFailureDoesNotTellTheSecretOrTheArguments) {
    EXPECT_EQ(shell_error("echo canary; echo >&2 'got canary, sorry canary'; exit 1"),
              "the command 'sh' failed: exit status 1; it said: got ***, sorry ***");
    EXPECT_THAT(shell_error("exit 1 # canary"), Not(HasSubstr("canary")));
    const std::string controls = shell_error("printf 'a\\033[2Jb\\n\\nc' >&2; exit 1");
    EXPECT_THAT(controls, HasSubstr("it said: a [2Jb  c"));
    EXPECT_LT(shell_error("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1").size(), 500u);
}

TEST_F(SecretSource, FormsAreRecognised) {
    const auto form = [&](const std::string& text) {
        return secret_form(parse_yaml(text, "f", env_.get()));
    };
    EXPECT_EQ(form("{env: A}")->kind, Kind::env);
    EXPECT_EQ(form("{file: A}")->kind, Kind::file);
    EXPECT_EQ(form("{command: [a, 1, true]}")->words, (Words{"a", "1", "true"}));
    for (const char* text : {"a", "[a]", "{}", "{env: }", "{env: ''}", "{env: [a]}",
                             "{file: {a: b}}", "{command: a}", "{command: []}", "{command: ['']}",
                             "{command: [[a]]}", "{env: a, file: b}", "{vault: a}", "{ENV: a}"})
        EXPECT_FALSE(form(text)) << text;
}

} // namespace
} // namespace bkhost
