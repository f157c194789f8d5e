#include "host/render/error_text.hpp"

#include <csignal>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bkhost {

TEST(ErrorText, ShowsMessageAndHint) {
    EXPECT_EQ(format_error({BK_E_CONFIG, "unknown driver 'sqlit'", "did you mean 'sqlite'?"}),
              "bkhost: unknown driver 'sqlit'\n  hint: did you mean 'sqlite'?\n");
    EXPECT_EQ(format_error({BK_E_CONFIG, "no"}), "bkhost: no\n");
}

TEST(ErrorText, AMessageCannotSteerTheTerminal) {
    EXPECT_EQ(format_error({BK_E_NOT_FOUND, "no\x1b[2J\nline", "a\nb\x9b"}),
              "bkhost: no\\x1b[2J\n  line\n  hint: a\n    b\\x9b\n");
}

TEST(ErrorText, JsonIsOneDocumentWhateverTheBytes) {
    const auto object =
        nlohmann::json::parse(format_error_json({BK_E_NO_SPACE, "a \"b\"\n\xff", "free"}));
    EXPECT_EQ(object["error"]["status"], "no space");
    EXPECT_EQ(object["error"]["message"], "a \"b\"\n\xef\xbf\xbd");
    EXPECT_EQ(object["error"]["hint"], "free");
    EXPECT_EQ(object.size(), 1u);
}

TEST(ExitCode, FollowsTheTable) {
    EXPECT_EQ(exit_code({BK_E_CONFIG, ""}), 2);
    EXPECT_EQ(exit_code({BK_E_INVALID, ""}, {.command_line = true}), 2);
    EXPECT_EQ(exit_code({BK_E_INVALID, ""}), 1);
    EXPECT_EQ(exit_code({BK_E_CORRUPT, ""}), 1);
    EXPECT_EQ(exit_code({BK_E_INTERNAL, ""}), 1);
    EXPECT_EQ(exit_code({BK_E_BUSY, ""}), 75);
    EXPECT_EQ(exit_code({BK_E_CANCELLED, ""}), 130);
    EXPECT_EQ(exit_code({BK_E_CANCELLED, ""}, {.signal = SIGINT}), 130);
    EXPECT_EQ(exit_code({BK_E_CANCELLED, ""}, {.signal = SIGTERM}), 143);
}

} // namespace bkhost
