// The recording sink: what it keeps, what it refuses, where it fails.
#include <bkhost/testing/recording_sink.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

template <class Body>
bk_status status_of(Body&& body) {
    try {
        body();
    } catch (const bk::Error& error) {
        return error.status();
    }
    return BK_OK;
}

TEST(RecordingSink, KeepsSectionsFragmentsMetaAndProofs) {
    bk::RecordingSink recording(512);
    bk::Sink sink = recording.sink();
    EXPECT_EQ(sink.fragment_target(), 512u);
    sink.section({.phase = BK_PHASE_PRE, .kind = "schema", .name = "ddl"});
    sink.write("create;");
    sink.section({.kind = "table", .namespace_name = "main", .name = "users", .size_hint = 9});
    sink.write("row1;");
    sink.write("row2;");
    sink.cut(2, {UINT64_MAX, 1});
    sink.section({.kind = "table", .name = "posts"});
    sink.write("post;");
    sink.section({.kind = "table", .namespace_name = "main", .name = "users"}); // goes on
    sink.write("row3;");
    sink.cut(1, {1, 0});
    sink.write("tail");
    sink.meta("lsn", "\"0/1\"");
    sink.proof("main", "pages", 7, {8, 9});

    EXPECT_EQ(recording.bytes(), "create;row1;row2;post;row3;tail");
    ASSERT_EQ(recording.sections().size(), 3u);
    EXPECT_EQ(recording.section("ddl").fragments.size(), 1u); // the next section ended it
    const bk::RecordingSink::Section& users = recording.section("users");
    EXPECT_EQ(users.bytes, "row1;row2;row3;tail");
    EXPECT_EQ(users.size_hint, 9u);
    ASSERT_EQ(users.fragments.size(), 2u);
    EXPECT_EQ(users.fragments[0].bytes, "row1;row2;");
    EXPECT_EQ(users.rows(), 3u);
    EXPECT_EQ(users.digest(), (std::array<uint64_t, 2>{0, 2}));
    EXPECT_EQ(users.uncut(), "tail");
    EXPECT_EQ(recording.meta().at("lsn"), "\"0/1\"");
    ASSERT_EQ(recording.proofs().size(), 1u);
    EXPECT_EQ(recording.proofs()[0].rows, 7u);
    EXPECT_EQ(recording.writes(), 6u);
    EXPECT_EQ(status_of([&] { (void)recording.section("none"); }), BK_E_NOT_FOUND);
}

TEST(RecordingSink, RefusesWhatTheContractForbids) {
    bk::RecordingSink early;
    EXPECT_EQ(status_of([&] { early.sink().write("x"); }), BK_E_INVALID);
    bk::RecordingSink cut;
    EXPECT_EQ(status_of([&] { cut.sink().cut(); }), BK_E_INVALID);
    bk::RecordingSink back;
    back.sink().section({.phase = BK_PHASE_POST, .step = 2, .name = "b"});
    EXPECT_EQ(status_of([&] { back.sink().section({.phase = BK_PHASE_POST, .step = 1}); }),
              BK_E_INVALID);
}

TEST(RecordingSink, FailsAtTheNthWriteAndStaysFailed) {
    bk::RecordingSink recording;
    recording.fail_at_write(2, BK_E_UNAVAILABLE);
    bk::Sink sink = recording.sink();
    sink.section({.name = "users"});
    sink.write("one");
    EXPECT_EQ(status_of([&] { sink.write("two"); }), BK_E_UNAVAILABLE);
    EXPECT_EQ(recording.calls_after_failure(), 0u);
    EXPECT_EQ(status_of([&] { sink.cut(); }), BK_E_UNAVAILABLE);
    EXPECT_EQ(recording.calls_after_failure(), 1u);
    EXPECT_EQ(recording.bytes(), "one");
}

TEST(RecordingSink, IsCancelled) {
    bk::RecordingSink recording;
    bk::Sink sink = recording.sink();
    sink.section({.name = "users"});
    recording.cancel();
    EXPECT_EQ(status_of([&] { sink.write("two"); }), BK_E_CANCELLED);
    EXPECT_EQ(recording.calls_after_failure(), 0u);
    EXPECT_EQ(status_of([&] { sink.write("two"); }), BK_E_CANCELLED);
    EXPECT_EQ(recording.calls_after_failure(), 1u);
}

} // namespace
