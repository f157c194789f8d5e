// The grammar: what is taken, and that nothing else is.
#include "fault.hpp"
#include "faults_fixture.hpp"

namespace faults {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr Function kFunctions[] = {
    {"read", kFlip | kTruncate}, {"put", kFlip | kShort | kDrop}, {"stat"}};
constexpr uint64_t kForever = UINT64_MAX;

Fault parse(std::string_view text) { return parse_fault(text, kFunctions); }

TEST(Fault, NamesAFunctionACallAndAnAction) {
    const Fault fault = parse("put:3:error=no_space");
    EXPECT_EQ(fault.function, "put");
    EXPECT_EQ(fault.key, "");
    EXPECT_EQ(fault.first, 3u);
    EXPECT_EQ(fault.last, 3u);
    EXPECT_EQ(fault.action, Action::error);
    EXPECT_EQ(fault.status, BK_E_NO_SPACE);
    EXPECT_EQ(fault.flags, 0u);
    EXPECT_FALSE(fault.after);
}

TEST(Fault, CountsCallsInFourWays) {
    const auto calls = [](const char* when) {
        const Fault fault = parse("stat:" + std::string(when) + ":crash");
        return std::pair(fault.first, fault.last);
    };
    EXPECT_EQ(calls("7"), std::pair(uint64_t{7}, uint64_t{7}));
    EXPECT_EQ(calls("2-5"), std::pair(uint64_t{2}, uint64_t{5}));
    EXPECT_EQ(calls("2+"), std::pair(uint64_t{2}, kForever));
    EXPECT_EQ(calls("*"), std::pair(uint64_t{1}, kForever));
}

TEST(Fault, MayCountTheCallsOfOneKeyOnly) {
    const Fault fault = parse("put@manifest.json:1:drop");
    EXPECT_EQ(fault.function, "put");
    EXPECT_EQ(fault.key, "manifest.json");
    EXPECT_EQ(fault.action, Action::drop);
}

TEST(Fault, ErrorsHaveFlags) {
    const Fault fault = parse("stat:1:error=unavailable,retryable,partial,after");
    EXPECT_EQ(fault.status, BK_E_UNAVAILABLE);
    EXPECT_EQ(fault.flags, uint32_t{BK_ERR_RETRYABLE | BK_ERR_PARTIAL});
    EXPECT_TRUE(fault.after);
    EXPECT_EQ(parse("stat:1:error=internal").status, BK_E_INTERNAL);
    EXPECT_EQ(parse("stat:1:error=no_memory").status, BK_E_NO_MEMORY);
}

TEST(Fault, WaitsHaveATime) {
    EXPECT_EQ(parse("stat:1:stall=90s").time, milliseconds(90000));
    EXPECT_EQ(parse("stat:1:block=250ms").time, milliseconds(250));
    EXPECT_EQ(parse("stat:1:hang=1s").action, Action::hang);
}

TEST(Fault, TheRest) {
    EXPECT_EQ(parse("read:1:flip").action, Action::flip);
    EXPECT_EQ(parse("read:1:truncate").action, Action::truncate);
    EXPECT_EQ(parse("put:1:short").action, Action::shorten);
    EXPECT_EQ(parse("stat:1:throw").action, Action::raise);
    EXPECT_EQ(parse("stat:1:escape").action, Action::escape);
    EXPECT_EQ(parse("stat:1:segv").action, Action::segv);
    EXPECT_EQ(parse("stat:1:exit").exit_status, 0);
    EXPECT_EQ(parse("stat:1:exit=7").exit_status, 7);
}

TEST(Fault, WhatIsNotUnderstoodIsRefusedWithAHint) {
    for (const char* text : {"",
                             "put",
                             "put:1",
                             "put:1:",
                             "put:0:crash",
                             "put:x:crash",
                             "put:3-2:crash",
                             "put:-:crash",
                             "put::crash",
                             "put:1:explode",
                             "put:1:error",
                             "put:1:error=nospace",
                             "put:1:error=no_space,often",
                             "put:1:stall",
                             "put:1:stall=90",
                             "put:1:stall=xs",
                             "put:1:flip=3",
                             "put:1:flip,after",
                             "send:1:crash",
                             "stat:1:flip",
                             "stat:1:drop",
                             "put:1:truncate"}) {
        try {
            (void)parse(text);
            ADD_FAILURE() << "'" << text << "' was taken";
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CONFIG) << text;
            EXPECT_THAT(error.what(), HasSubstr("'" + std::string(text) + "'"));
        }
    }
}

} // namespace
} // namespace faults
