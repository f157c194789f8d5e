// A dump and its restore, as the host makes them, and every way in which the bytes may be wrong.
#include "synthetic_dumper.hpp"

#include <bkhost/testing/fake_host.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace synthetic {
namespace {

using testing::HasSubstr;
using Values = bk::FakeConfig::Values;

struct Opened {
    Opened() : Opened(Values{}) {}
    explicit Opened(const Values& values)
        : config(values, kDumperOptions), dumper(host.host(), config.config()) {}
    SyntheticDumper* operator->() { return &dumper; }

    bk::FakeHost host;
    bk::FakeConfig config;
    SyntheticDumper dumper;
};

constexpr const char* kAll = R"({"what":"all"})";

/// The request of a restore of what `description` tells.
std::string load_request(const std::string& description) {
    std::string text = description; // {"engine":…,"format":"synthetic","layout":{…}}
    text.insert(1, R"("archive_id":"x","target":"refuse",)");
    return text;
}

struct Dump {
    std::string description;
    std::vector<std::string> units; ///< bytes
    std::vector<size_t> fragments;  ///< how many, by unit
};

Dump dump_all(SyntheticDumper& dumper) {
    Dump dump{dumper.dump_begin(kAll), {}, {}};
    std::vector<uint32_t> numbers;
    dumper.plan([&](const bk_unit& unit) { numbers.push_back(unit.number); });
    for (const uint32_t number : numbers) {
        bk::RecordingSink sink;
        dumper.dump(number, sink.sink());
        EXPECT_EQ(sink.sections().size(), 1u);
        EXPECT_EQ(sink.sections().front().uncut(), "");
        dump.units.push_back(sink.bytes());
        dump.fragments.push_back(sink.sections().front().fragments.size());
    }
    dumper.dump_end(true);
    return dump;
}

void load_piece(bk::LoadSession& session, const std::string& name, uint64_t offset,
                std::string_view bytes) {
    bk_load_unit unit{};
    unit.struct_size = sizeof unit;
    unit.section.struct_size = sizeof unit.section;
    unit.section.name = name.c_str();
    unit.section_offset = offset;
    unit.size = bytes.size();
    bk::MemorySource source(bytes, 5000);
    session.load(unit, source.source());
    EXPECT_TRUE(source.ended());
}

void load_units(bk::LoadSession& session, const std::vector<std::string>& units) {
    for (size_t i = 0; i < units.size(); ++i) { // the second half first: order does not matter
        const size_t half = units[i].size() / 2;
        const std::string name = "unit-" + std::to_string(i);
        load_piece(session, name, half, std::string_view(units[i]).substr(half));
        load_piece(session, name, 0, std::string_view(units[i]).substr(0, half));
    }
}

template <class Body>
std::string message_of(Body&& body, bk_status status) {
    try {
        body();
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), status) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "nothing was thrown";
    return {};
}

TEST(Synthetic, ADumpHasItsSizeInUnitsAndFragments) {
    Opened opened(Values{{"size", {"1000003"}}, {"units", {"4"}}, {"fragment", {"100000"}}});
    const Dump dump = dump_all(opened.dumper);
    ASSERT_EQ(dump.units.size(), 4u);
    EXPECT_EQ(dump.units[0].size(), 250001u);
    EXPECT_EQ(dump.units[3].size(), 250000u);
    EXPECT_EQ(dump.fragments, (std::vector<size_t>{3, 3, 3, 3}));
    Opened again(Values{{"size", {"1000003"}}, {"units", {"4"}}, {"fragment", {"7777"}}});
    EXPECT_EQ(dump_all(again.dumper).units, dump.units); // fragments do not change the bytes
}

TEST(Synthetic, WithoutTheOptionAFragmentIsWhatTheHostAsksFor) {
    Opened opened(Values{{"size", {"3MiB"}}, {"units", {"1"}}});
    EXPECT_EQ(dump_all(opened.dumper).fragments, std::vector<size_t>{3});
}

TEST(Synthetic, UnitsWithoutBytesAreNotPlanned) {
    Opened opened(Values{{"size", {"2"}}, {"units", {"4"}}});
    EXPECT_EQ(dump_all(opened.dumper).units.size(), 2u);
}

TEST(Synthetic, TellsItsSizeBefore) {
    Opened opened(Values{{"size", {"5MiB"}}});
    EXPECT_THAT(opened->probe(), HasSubstr(R"("size":5242880)"));
    EXPECT_EQ(opened->inspect("{}"), R"({"tables":[]})");
}

TEST(Synthetic, ARestoreChecksByTheArchiveAndNotByItsOwnOptions) {
    Opened source(
        Values{{"size", {"700001"}}, {"seed", {"9"}}, {"ratio", {"5"}}, {"units", {"3"}}});
    const Dump dump = dump_all(source.dumper);
    Opened target;
    const auto session = target->load_begin(load_request(dump.description).c_str());
    load_units(*session, dump.units);
    session->end(true);
}

TEST(Synthetic, OneWrongByteFailsTheRestoreWithItsPlace) {
    Opened opened(Values{{"size", {"300000"}}, {"units", {"1"}}});
    const Dump dump = dump_all(opened.dumper);
    for (const size_t place : {size_t{0}, size_t{65536}, size_t{299999}}) {
        std::vector<std::string> damaged = dump.units;
        damaged[0][place] = static_cast<char>(damaged[0][place] ^ 1);
        const auto session = opened->load_begin(load_request(dump.description).c_str());
        EXPECT_THAT(message_of([&] { load_units(*session, damaged); }, BK_E_CORRUPT),
                    HasSubstr("unit 0 differs"));
        session->end(false);
    }
}

TEST(Synthetic, WhatComesTwiceOrNotAtAllFailsTheRestore) {
    Opened opened(Values{{"size", {"300000"}}, {"units", {"2"}}});
    const Dump dump = dump_all(opened.dumper);
    const auto begin = [&] { return opened->load_begin(load_request(dump.description).c_str()); };
    const std::string_view first = dump.units[0];

    auto session = begin();
    load_units(*session, {dump.units[0]}); // without the other one
    EXPECT_THAT(message_of([&] { session->end(true); }, BK_E_CORRUPT), HasSubstr("unit 1"));
    session = begin();
    load_units(*session, {dump.units[0].substr(0, 149999), dump.units[1]});
    EXPECT_THAT(message_of([&] { session->end(true); }, BK_E_CORRUPT), HasSubstr("unit 0"));
    session = begin();
    load_piece(*session, "unit-0", 0, first.substr(0, 1000));
    load_piece(*session, "unit-0", 2000, first.substr(2000, 1000));
    message_of([&] { load_piece(*session, "unit-0", 500, first.substr(500, 100)); }, BK_E_CORRUPT);
    message_of([&] { load_piece(*session, "unit-0", 1500, first.substr(1500, 501)); },
               BK_E_CORRUPT);
    load_piece(*session, "unit-0", 1000, first.substr(1000, 1000)); // just the gap
    message_of([&] { load_piece(*session, "unit-9", 0, "x"); }, BK_E_CORRUPT);
    message_of([&] { load_piece(*session, "users", 0, "x"); }, BK_E_CORRUPT);
}

TEST(Synthetic, MoreThanAUnitHasFailsTheRestore) {
    Opened opened(Values{{"size", {"1000"}}, {"units", {"1"}}});
    const Dump dump = dump_all(opened.dumper);
    Opened larger(Values{{"size", {"1001"}}, {"units", {"1"}}});
    const Dump more = dump_all(larger.dumper);
    const auto session = opened->load_begin(load_request(dump.description).c_str());
    message_of([&] { load_units(*session, more.units); }, BK_E_CORRUPT);
}

TEST(Synthetic, ADumpThatLacksAUnitFailsAtItsEnd) {
    Opened opened(Values{{"size", {"1000"}}, {"units", {"2"}}});
    (void)opened->dump_begin(kAll);
    bk::RecordingSink sink;
    opened->dump(0, sink.sink());
    EXPECT_THAT(message_of([&] { opened->dump_end(true); }, BK_E_CORRUPT),
                HasSubstr("500 bytes of 1000"));
}

TEST(Synthetic, AFailedSinkAndACancelEndTheDump) {
    Opened opened(Values{{"size", {"10MiB"}}, {"units", {"1"}}});
    (void)opened->dump_begin(kAll);
    bk::RecordingSink full;
    full.fail_at_write(3);
    message_of([&] { opened->dump(0, full.sink()); }, BK_E_NO_SPACE);
    EXPECT_EQ(full.calls_after_failure(), 0u);
    bk::RecordingSink sink;
    opened.host.cancel_at_poll(2);
    message_of([&] { opened->dump(0, sink.sink()); }, BK_E_CANCELLED);
    EXPECT_EQ(sink.bytes().size(), size_t{2} << 20);
    opened->dump_end(false);
}

TEST(Synthetic, WhatItCannotHonourItRefuses) {
    Opened opened;
    message_of([&] { (void)opened->dump_begin(R"({"include":["a"]})"); }, BK_E_UNSUPPORTED);
    message_of([&] { (void)opened->dump_begin("nonsense"); }, BK_E_INVALID);
    message_of([&] { (void)opened->dump(0, bk::RecordingSink().sink()); }, BK_E_INVALID);
    const auto refused = [&](const char* request, bk_status status) {
        message_of([&] { (void)opened->load_begin(request); }, status);
    };
    refused(R"({"format":"image","layout":{"pattern":1}})", BK_E_UNSUPPORTED);
    refused(R"({"format":"synthetic","layout":{"pattern":2}})", BK_E_UNSUPPORTED);
    refused(R"({"format":"synthetic","layout":{"pattern":1}})", BK_E_INVALID);
    refused(R"({"format":"synthetic",
                "layout":{"pattern":1,"size":9,"seed":1,"units":4000000000,"ratio":3}})",
            BK_E_INVALID);
}

} // namespace
} // namespace synthetic
