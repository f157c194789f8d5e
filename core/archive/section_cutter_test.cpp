// A stream of SQL cut at its markers, however it comes in: and nothing that only looks like one.
#include "core/archive/section_cutter.hpp"

#include <bkhost/error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace bkhost {
namespace {

using testing::HasSubstr;

const std::string kNonce = "00112233445566778899aabbccddeeff";
const std::string kOther = "00112233445566778899aabbccddeefe";

SectionInfo section(uint32_t number, const std::string& name, uint32_t phase = BK_PHASE_DATA) {
    return {number, 0, phase, 0, false, "table", "main", name, "a,b"};
}

struct Piece {
    SectionInfo section;
    std::string bytes;
    bool operator==(const Piece&) const = default;
};

/// `step`: bytes that the stream gives, and that are asked for, at once.
std::vector<Piece> cut(const std::string& stream, size_t step = 1000, size_t buffer = 4096) {
    size_t at = 0;
    SectionCutter cutter(
        [&](std::span<uint8_t> room) {
            const size_t n = std::min({room.size(), stream.size() - at, step});
            std::memcpy(room.data(), stream.data() + at, n);
            at += n;
            return n;
        },
        kNonce, buffer);
    std::vector<Piece> runs;
    std::vector<uint8_t> taken(step);
    while (cutter.next()) {
        runs.push_back({cutter.section(), {}});
        while (const size_t n = cutter.read(taken))
            runs.back().bytes.append(reinterpret_cast<const char*>(taken.data()), n);
    }
    return runs;
}

std::string why(const std::string& stream) {
    try {
        (void)cut(stream);
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
        return error.what();
    }
    return "accepted";
}

TEST(SectionCutter, CutsAtEveryMarkerHoweverTheStreamIsRead) {
    const std::string forged = "insert '\n" + section_marker(section(7, "no"), kOther) + "';\n";
    const std::vector<Piece> runs{{section(0, "users"), "insert 1;\n"},
                                {section(3, "orders"), forged + marker_start(kNonce).substr(0, 50)},
                                {section(0, "users"), ""},
                                {section(3, "orders"), "-- bkhost section " + kNonce}};
    std::string stream;
    for (const Piece& run : runs)
        stream += section_marker(run.section, kNonce) + run.bytes;
    for (const size_t step : {1, 2, 7, 50, 64, 100, 1000})
        for (const size_t buffer : {1, 60, 128, 4096})
            EXPECT_TRUE(cut(stream, step, buffer) == runs) << step << " of " << buffer;
}

TEST(SectionCutter, AMarkerLongerThanTheBufferIsRead) {
    const std::vector<Piece> runs{{section(1, std::string(5000, 'n')), "x\n"}};
    EXPECT_TRUE(cut(section_marker(runs[0].section, kNonce) + "x\n", 100, 128) == runs);
}

TEST(SectionCutter, WhatIsNoStreamOfSectionsIsCorrupt) {
    const std::string marker = section_marker(section(0, "users"), kNonce);
    EXPECT_TRUE(cut("").empty());
    EXPECT_THAT(why("insert 1;\n" + marker), HasSubstr("bytes of no section"));
    EXPECT_THAT(why(section_marker(section(0, "users"), kOther)), HasSubstr("of no section"));
    EXPECT_THAT(why(marker + "insert;\n" + marker.substr(0, marker.size() - 1)),
                HasSubstr("ends within a section marker"));
    const std::string start = marker_start(kNonce);
    for (const char* rest :
         {"\n", "0\n", "0 {}\n", "x {\"kind\":1}\n", "0{}\n", "0 {\"phase\":2}\n", "-1 {}\n",
          "99999999999 {\"depends\":\"\",\"kind\":\"\",\"name\":\"\",\"namespace\":\"\","
          "\"ordered\":0,\"phase\":2,\"step\":0}\n",
          "0 {\"depends\":\"\",\"kind\":\"\",\"name\":\"\",\"namespace\":\"\","
          "\"ordered\":0,\"phase\":6,\"step\":0}\n"})
        EXPECT_THAT(why(start + rest), HasSubstr("section marker")) << rest;
}

TEST(SectionMarker, ComesBackAsItWas) {
    SectionInfo odd{4'000'000'000, 0,       BK_PHASE_POST, 3,
                    true,          "index", "ma in",       "two\nlines \"quoted\" {é}",
                    "x {y}"};
    const std::string line = section_marker(odd, kNonce);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(parse_section_marker(line.substr(0, line.size() - 1), kNonce), odd);
    EXPECT_THROW((void)parse_section_marker(line.substr(0, line.size() - 1), kOther), bk::Error);
}

TEST(SectionMarker, NoncesAreOfChance) {
    const std::string one = make_marker_nonce(Clock::system());
    EXPECT_TRUE(is_marker_nonce(one));
    EXPECT_NE(one, make_marker_nonce(Clock::system()));
    for (const std::string& text : {std::string(), one + "0", one.substr(1), one.substr(1) + "g",
                                    one.substr(1) + "A", one.substr(1) + "\n"})
        EXPECT_FALSE(is_marker_nonce(text)) << text;
}

TEST(SectionLedger, SectionsAreDescribedAlikeAndPhasesNeverGoDown) {
    SectionLedger ledger;
    ledger.begin(section(0, "users", BK_PHASE_PRE)).bytes += 5;
    EXPECT_EQ(ledger.begin(section(0, "users", BK_PHASE_PRE)).bytes, 5u);
    EXPECT_EQ(ledger.begin(section(1, "users")).bytes, 0u);
    EXPECT_THROW((void)ledger.begin(section(1, "orders")), bk::Error);
    EXPECT_THROW((void)ledger.begin(section(0, "users", BK_PHASE_PRE)), bk::Error);
    EXPECT_EQ(ledger.entries().size(), 2u);
}

} // namespace
} // namespace bkhost
