// What UnitFramer makes of a dumper's calls: the cuts, the refusals, and the sums.
#include "core/pipeline/framer.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bkhost {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kMarker = "00112233445566778899aabbccddeeff";

class NoRecords final : public DumpRecords {
public:
    void meta(const std::string& key, const std::string& json) override { metas[key] = json; }
    void proof(const std::string&, const std::string& table, const RowSum& sum) override {
        proofs[table] = sum;
    }
    std::map<std::string, std::string> metas;
    std::map<std::string, RowSum> proofs;
};

/// One unit with plenty of frames, so that nothing blocks and all can be looked at in the end.
struct OneUnit {
    explicit OneUnit(size_t frame_size, bool sql = false, size_t capacity = 0)
        : flow(200, capacity > 0 ? capacity : frame_size + frame_size / 2, {}),
          framer({1, 0, false, sql ? kMarker : "", frame_size, 64}, flow, sections, records) {}

    void section(const char* name, uint32_t phase = BK_PHASE_DATA, uint32_t step = 0) {
        framer.section({sizeof(bk_section), phase, step, 0, "table", "main", name, "", 0});
    }
    void write(std::string_view text) {
        framer.write({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }
    void fragment(std::string_view text, const RowSum& sum = {}) {
        write(text);
        framer.cut(sum);
    }
    /// Ends the unit and gives the text of each frame.
    std::vector<std::string> finish() {
        framer.finish();
        flow.close();
        std::vector<std::string> texts;
        while (FramePtr frame = flow.next()) {
            texts.emplace_back(reinterpret_cast<const char*>(frame->data.get()), frame->size);
            frames.push_back(std::move(frame));
        }
        return texts;
    }

    NoRecords records;
    SectionTable sections;
    FrameFlow flow;
    UnitFramer framer;
    std::vector<FramePtr> frames;
};

template <class Call>
bk_status status_of(Call&& call) {
    try {
        call();
    } catch (const bk::Error& error) {
        return error.status();
    }
    return BK_OK;
}

TEST(Framer, ClosesAFrameAtTheFirstCutPastItsSize) {
    OneUnit unit(10);
    unit.section("t");
    for (const char* text : {"aaaa", "bbbb", "cccc", "dd", "e"})
        unit.fragment(text);
    EXPECT_THAT(unit.finish(), ElementsAre("aaaabbbbcccc", "dde"));
    EXPECT_EQ(unit.framer.bytes(), 15u);
}

TEST(Framer, AFragmentThatDoesNotFitBeginsAFrameOfItsOwn) {
    OneUnit unit(10); // holds 15
    unit.section("t");
    for (const char* text : {"aaaaaaaa", "bbbbbbbbb", "c"})
        unit.fragment(text);
    EXPECT_THAT(unit.finish(), ElementsAre("aaaaaaaa", "bbbbbbbbbc"));
    EXPECT_FALSE(unit.frames[0]->more);
    EXPECT_FALSE(unit.frames[1]->segments.front().continued);
}

TEST(Framer, AFragmentLargerThanAFrameIsCutIntoAGroup) {
    OneUnit unit(10);
    unit.section("t");
    unit.fragment("a");
    unit.fragment(std::string(40, 'b'), {7, 5, 0, true});
    unit.fragment("c");
    EXPECT_THAT(unit.finish(), ElementsAre("a", std::string(15, 'b'), std::string(15, 'b'),
                                           std::string(10, 'b'), "c"));
    std::vector<bool> more, continued;
    std::vector<uint64_t> rows;
    for (const FramePtr& frame : unit.frames) {
        more.push_back(frame->more);
        ASSERT_EQ(frame->segments.size(), 1u);
        continued.push_back(frame->segments[0].continued);
        rows.push_back(frame->segments[0].sum.rows);
    }
    EXPECT_THAT(more, ElementsAre(false, true, true, false, false));
    EXPECT_THAT(continued, ElementsAre(false, false, true, true, false));
    EXPECT_THAT(rows, ElementsAre(0, 0, 0, 7, 0)); // where the fragment ends
}

TEST(Framer, AFragmentThatFillsAFrameToTheByteIsNotCut) {
    OneUnit unit(10);
    unit.section("t");
    unit.fragment(std::string(15, 'a'));
    unit.fragment(std::string(15, 'b'));
    EXPECT_THAT(unit.finish(), ElementsAre(std::string(15, 'a'), std::string(15, 'b')));
    EXPECT_FALSE(unit.frames[0]->more);
}

TEST(Framer, PhasesAndStepsDoNotShareAFrame) {
    OneUnit unit(1000);
    unit.section("schema", BK_PHASE_PRE);
    unit.fragment("create");
    unit.section("t", BK_PHASE_DATA);
    unit.fragment("rows");
    unit.section("u", BK_PHASE_DATA);
    unit.fragment("more");
    unit.section("index", BK_PHASE_POST, 1);
    unit.fragment("index");
    unit.section("key", BK_PHASE_POST, 3);
    unit.fragment("key");
    EXPECT_THAT(unit.finish(), ElementsAre("create", "rowsmore", "index", "key"));
}

TEST(Framer, SectionEndsTheFragmentBefore) {
    OneUnit unit(10);
    unit.section("t");
    unit.write("aaaaaaaa"); // no cut
    unit.section("u");
    unit.write("bbbbbbbb");
    unit.section("t"); // named again: goes on
    unit.write("c");
    EXPECT_THAT(unit.finish(), ElementsAre("aaaaaaaa", "bbbbbbbbc"));
    ASSERT_EQ(unit.frames[1]->segments.size(), 2u);
    EXPECT_EQ(unit.frames[1]->segments[1].section, unit.frames[0]->segments[0].section);
    EXPECT_EQ(unit.sections.size(), 2u);
}

TEST(Framer, ACutWithoutBytesIsNothingUnlessItClaimsRows) {
    OneUnit unit(10);
    unit.section("t");
    unit.framer.cut({});
    EXPECT_EQ(status_of([&] { unit.framer.cut({3, 1, 1, true}); }), BK_E_INVALID);
    unit.write("");
    unit.framer.cut({});
    EXPECT_THAT(unit.finish(), ElementsAre());
}

TEST(Framer, BytesBeforeAnySectionAreRefused) {
    OneUnit unit(10);
    EXPECT_EQ(status_of([&] { unit.write("a"); }), BK_E_INVALID);
}

TEST(Framer, PhasesAndStepsThatGoDownAreRefused) {
    OneUnit unit(10);
    unit.section("key", BK_PHASE_POST, 3);
    EXPECT_EQ(status_of([&] { unit.section("index", BK_PHASE_POST, 1); }), BK_E_INVALID);
    EXPECT_EQ(status_of([&] { unit.section("t", BK_PHASE_DATA, 9); }), BK_E_INVALID);
    EXPECT_EQ(status_of([&] { unit.section("end", BK_PHASE_EPILOGUE, 0); }), BK_OK);
}

TEST(Framer, RunsOfASectionBeginWithItsMarkerAtALineStart) {
    OneUnit unit(1000, true);
    unit.section("t");
    unit.fragment("insert a;\n");
    unit.fragment("insert b;\n"); // the same run
    unit.section("u");
    unit.fragment("insert c;\n");
    const std::string t = section_marker(unit.sections.at(0), kMarker),
                      u = section_marker(unit.sections.at(1), kMarker);
    EXPECT_EQ(t, "-- bkhost section 00112233445566778899aabbccddeeff 0 "
                 "{\"depends\":\"\",\"kind\":\"table\",\"name\":\"t\",\"namespace\":\"main\","
                 "\"ordered\":0,\"phase\":2,\"step\":0}\n");
    EXPECT_THAT(unit.finish(), ElementsAre(t + "insert a;\ninsert b;\n" + u + "insert c;\n"));
    const std::vector<Segment>& segments = unit.frames[0]->segments;
    ASSERT_EQ(segments.size(), 2u);
    EXPECT_EQ(segments[0].offset, t.size());
    EXPECT_EQ(segments[0].length, 20u);
    EXPECT_EQ(segments[1].offset, t.size() + 20 + u.size());
    EXPECT_EQ(segments[1].length, 10u);
}

TEST(Framer, AMarkerThatNoLongerFitsBeginsTheNextFrame) {
    OneUnit unit(200, true, 300);
    unit.section("t");
    const size_t marker = section_marker(unit.sections.at(0), kMarker).size();
    unit.fragment(std::string(199 - marker, 'a') + "\n"); // 200: closed
    unit.fragment(std::string(190 - marker, 'b') + "\n"); // 191 of 300: stays open
    unit.section(std::string(30, 'x').c_str());
    unit.fragment("c\n"); // its marker needs more than the 109 that are left
    const std::vector<std::string> texts = unit.finish();
    ASSERT_EQ(texts.size(), 3u);
    EXPECT_THAT(texts[2], HasSubstr("xxx"));
    EXPECT_TRUE(texts[2].ends_with("}\nc\n"));
}

TEST(Framer, AMarkerLongerThanAFrameIsRefused) {
    OneUnit unit(200, true);
    unit.section(std::string(400, 'n').c_str());
    try {
        unit.write("a\n");
        FAIL() << "accepted";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
        EXPECT_THAT(error.what(), HasSubstr("nnn"));
        EXPECT_LT(error.message().size(), 200u);
    }
}

TEST(Framer, RowsWithoutADigestMakeItUnknown) {
    OneUnit unit(1000);
    unit.section("t");
    bk_dump_sink& sink = unit.framer.sink();
    bk_error error = bk::empty_error();
    const bk_fragment known{sizeof(bk_fragment), 0, 2, {UINT64_MAX, 1}};
    const bk_fragment second{sizeof(bk_fragment), 0, 3, {2, 1}};
    const bk_fragment unknown{sizeof(bk_fragment), 0, 4, {0, 0}};
    ASSERT_EQ(sink.write(&sink, "a", 1, &error), BK_OK);
    ASSERT_EQ(sink.cut(&sink, &known, &error), BK_OK);
    ASSERT_EQ(sink.write(&sink, "b", 1, &error), BK_OK);
    ASSERT_EQ(sink.cut(&sink, &second, &error), BK_OK);
    unit.section("u");
    ASSERT_EQ(sink.write(&sink, "c", 1, &error), BK_OK);
    ASSERT_EQ(sink.cut(&sink, &unknown, &error), BK_OK);
    (void)unit.finish();
    const std::vector<Segment>& segments = unit.frames[0]->segments;
    EXPECT_EQ(segments[0].sum.rows, 5u);
    EXPECT_EQ(segments[0].sum.low, 1u); // with a carry
    EXPECT_EQ(segments[0].sum.high, 3u);
    EXPECT_TRUE(segments[0].sum.digest_known);
    EXPECT_EQ(segments[1].sum.rows, 4u);
    EXPECT_FALSE(segments[1].sum.digest_known);
}

TEST(Framer, AFailureLeavesThroughTheSinkAsAStatus) {
    OneUnit unit(1000);
    bk_dump_sink& sink = unit.framer.sink();
    bk_error error = bk::empty_error();
    EXPECT_EQ(sink.write(&sink, "a", 1, &error), BK_E_INVALID);
    EXPECT_THAT(error.message, HasSubstr("before it named a section"));
    EXPECT_EQ(sink.fragment_target, 64u);
    const uint64_t digest[2] = {3, 4};
    EXPECT_EQ(sink.meta(&sink, "position", "{\"at\":1}", &error), BK_OK);
    EXPECT_EQ(sink.proof(&sink, "main", "users", 9, digest, &error), BK_OK);
    EXPECT_EQ(unit.records.metas["position"], "{\"at\":1}");
    EXPECT_EQ(unit.records.proofs["users"].rows, 9u);
    EXPECT_EQ(unit.records.proofs["users"].high, 4u);
}

TEST(Framer, AnAbandonedUnitGivesItsFrameAndTheVolumeBack) {
    NoRecords records;
    SectionTable sections;
    FrameFlow flow(1, 100, {});
    {
        UnitFramer ordered({1, 0, true, "", 60, 10}, flow, sections, records);
        ordered.section({sizeof(bk_section), BK_PHASE_DATA, 0, 0, "table", "", "t", "", 0});
        ordered.write({reinterpret_cast<const uint8_t*>("abc"), 3});
    } // no finish(): the dumper failed
    FramePtr frame = flow.acquire();
    EXPECT_EQ(frame->size, 0u);
    flow.submit(2, std::move(frame)); // would block while unit 1 held the volume
    flow.close();
    EXPECT_NE(flow.next(), nullptr);
}

} // namespace
} // namespace bkhost
