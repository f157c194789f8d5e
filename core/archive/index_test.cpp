// The index: its records as lines, and that a damaged, cut or foreign one is never taken for whole.
#include "core/archive/index_reader.hpp"
#include "core/testing/archive_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace bkhost {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

IndexFrame frame(uint64_t number) {
    IndexFrame f;
    f.number = number;
    f.volume = 1;
    f.plain_offset = 100 * number;
    f.plain_length = 100;
    f.packed_offset = 50 * number;
    f.packed_length = 50;
    f.checksum = std::string(32, 'c');
    f.more = number % 2 == 1;
    f.segments = {{0, 0, 40, 7, {3, 5, UINT64_MAX, true}, true, false},
                  {1, 50, 50, 9, {4, 0, 0, false}, false, true}};
    return f;
}

/// An index that keeps every rule: `frames` frames of 100 bytes in one volume, the first one of the
/// schema, the last two (of four or more) holding one fragment.
std::vector<IndexRecord> records_of(uint64_t frames) {
    std::vector<IndexRecord> all{
        IndexBegin{kArchiveId}, IndexComponent{0, "shop"},
        SectionInfo{0, 0, BK_PHASE_PRE, 0, false, "schema", "", "schema", ""},
        SectionInfo{1, 0, BK_PHASE_DATA, 2, true, "table", "main", "users \"ü\"", "a,b"}};
    RowSum rows;
    for (uint64_t i = 0; i < frames; ++i) {
        IndexFrame f;
        f.number = i;
        f.plain_offset = 100 * i;
        f.plain_length = 100;
        f.packed_offset = 50 * i;
        f.packed_length = 50;
        f.checksum = std::string(32, 'c');
        f.more = frames >= 4 && i + 2 == frames;
        const bool continued = frames >= 4 && i + 1 == frames;
        const RowSum sum{f.more ? 0u : 4u, f.more ? 0 : i, f.more ? 0 : UINT64_MAX, true};
        if (i == 0)
            f.segments = {{0, 0, 100, 0, {}, true, false}};
        else
            f.segments = {{1, 10, 90, 90 * (i - 1), sum, i == 1, continued}};
        if (i > 0) rows.add(sum);
        all.emplace_back(f);
    }
    all.insert(all.end(),
               {IndexMeta{0, "position", R"({"lsn":17})"},
                IndexProof{0, "main", "users", {12, 3, 4, true}},
                Warning{"code", "main.users", "text\nwith a newline"},
                IndexVolume{0, 0, frames, 100 * frames, 50 * frames}, IndexTotal{0, 100, {}},
                IndexTotal{1, 90 * (frames - 1), rows}, IndexEnd{frames, 2, 100 * frames}});
    return all;
}
constexpr uint64_t kFrames = 5;
constexpr size_t kFirstFrame = 4; // its place in the list
constexpr size_t kBehindFrames = kFirstFrame + kFrames;
std::vector<IndexRecord> sample_records() { return records_of(kFrames); }

std::string text_of(const std::vector<IndexRecord>& records) {
    std::string text;
    for (const IndexRecord& record : records)
        text += index_line(record);
    return text;
}

/// An index object laid down by hand, and a reader over it.
class IndexBed : public testing::Test {
protected:
    IndexBed() { describe(kFrames); }

    /// The manifest of an index of so many frames.
    void describe(uint64_t frames) {
        bed.manifest.id = kArchiveId;
        ComponentRecord component;
        component.name = "shop";
        component.frames = frames;
        component.plain_size = bed.manifest.plain_size = 100 * frames;
        component.volumes.resize(1);
        component.volumes[0].plain_size = 100 * frames;
        component.volumes[0].packed_size = 50 * frames;
        bed.manifest.components = {component};
        bed.manifest.warnings = 1;
    }

    /// `frames`: plain texts, each packed on its own.
    void put(const std::vector<std::string>& frames, bool compressed = true) {
        MemoryStore::Data data;
        bed.manifest.index.plain_size = 0;
        for (const std::string& text : frames) {
            MemoryStore::Data packed(as_bytes(text).begin(), as_bytes(text).end());
            if (compressed) {
                Codec codec(codec_driver, bed.services, BK_FORWARD);
                packed.clear();
                packed.resize(codec.frame(as_bytes(text), packed));
            }
            data.insert(data.end(), packed.begin(), packed.end());
            bed.manifest.index.plain_size += text.size();
        }
        put_raw(data);
    }
    void put_raw(const MemoryStore::Data& data) {
        store->set_object(kFolder + "index.ndjson", data);
        ObjectRecord& record = bed.manifest.index;
        record.key = "index.ndjson";
        record.size = record.packed_size = data.size();
        record.sha256 = sha256_hex(data);
    }
    std::vector<IndexRecord> read(bool compressed = true) {
        IndexReader reader(bed.access(storage), bed.manifest, compressed ? codec_driver : nullptr);
        std::vector<IndexRecord> all;
        while (std::optional<IndexRecord> record = reader.next())
            all.push_back(std::move(*record));
        EXPECT_EQ(reader.next(), std::nullopt) << "the end is not the end";
        return all;
    }
    bk_status status(std::string* text = nullptr, bool compressed = true) {
        try {
            (void)read(compressed);
        } catch (const bk::Error& error) {
            if (text != nullptr) *text = error.what();
            return error.status();
        }
        return BK_OK;
    }

    ArchiveBed bed;
    DriverPtr codec_driver = bed.compressor();
    Storage& storage = bed.storage("a");
    std::shared_ptr<MemoryStore> store = memory_store("a");
};

TEST(IndexRecords, EachComesBackAsItWas) {
    std::vector<IndexRecord> records = sample_records();
    records.insert(records.end(), {frame(0), frame(1)});
    for (const IndexRecord& record : records) {
        const std::string line = index_line(record);
        ASSERT_EQ(line.find('\n'), line.size() - 1) << "one line each";
        const IndexRecord again =
            parse_index_line(std::string_view(line).substr(0, line.size() - 1));
        EXPECT_EQ(again.index(), record.index());
        EXPECT_EQ(index_line(again), line);
    }
    const auto back = std::get<IndexFrame>(
        parse_index_line(index_line(frame(1)).substr(0, index_line(frame(1)).size() - 1)));
    EXPECT_TRUE(back.more);
    EXPECT_EQ(back.segments[0].sum.high, UINT64_MAX);
    EXPECT_TRUE(back.segments[0].first);
    EXPECT_FALSE(back.segments[1].sum.digest_known);
    EXPECT_TRUE(back.segments[1].continued);
    EXPECT_EQ(back.segments[1].section_offset, 9u);
}

TEST(IndexRecords, ANameThatIsNotUtf8DoesNotEndTheDump) {
    const std::string line = index_line(Warning{"code", "caf\xe9", "text"});
    EXPECT_NO_THROW((void)parse_index_line(std::string_view(line).substr(0, line.size() - 1)));
}

TEST(IndexRecords, ALineThatIsNoneIsCorrupt) {
    for (
        const char* line :
        {"", "x", "[]", "{}", R"({"t":5})", R"({"t":"end"})", "{\"t\":\"end\"",
         R"({"t":"total","n":0,"bytes":1,"rows":1,"digest":"12"})",
         R"({"t":"index","version":2,"id":"x"})",
         R"({"t":"volume","c":4294967296,"v":0,"frames":1,"plain":1,"packed":1})",
         R"({"t":"volume","c":0,"v":0,"frames":-1,"plain":1,"packed":1})",
         R"({"t":"volume","c":0,"v":0,"frames":1,"plain":1.5,"packed":1})",
         R"({"t":"volume","c":0,"v":0,"frames":1,"plain":true,"packed":1})",
         R"({"t":"end","frames":1,"sections":1,"plain":9223372036854775808})",
         R"({"t":"total","n":0,"bytes":1,"rows":1,"digest":"zz345678901234567890123456789012"})"}) {
        try {
            (void)parse_index_line(line);
            ADD_FAILURE() << "accepted: " << line;
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << line;
        }
    }
    const auto meta = [](size_t depth) {
        return R"({"t":"meta","c":0,"key":"k","value":)" + std::string(depth, '[') +
               std::string(depth, ']') + "}";
    };
    EXPECT_NO_THROW((void)parse_index_line(meta(20)));
    EXPECT_THROW((void)parse_index_line(meta(1'000'000)), bk::Error) << "the stack would end first";
}

TEST(IndexRecords, SegmentsThatLeaveTheirFrameOrOverlapAreCorrupt) {
    const auto line_with = [](uint64_t offset, uint64_t length) {
        IndexFrame f = frame(0);
        f.segments[1].offset = offset;
        f.segments[1].length = length;
        std::string line = index_line(f);
        line.pop_back();
        return line;
    };
    EXPECT_NO_THROW((void)parse_index_line(line_with(40, 60)));
    EXPECT_THROW((void)parse_index_line(line_with(40, 61)), bk::Error);
    EXPECT_THROW((void)parse_index_line(line_with(39, 1)), bk::Error);
    EXPECT_THROW((void)parse_index_line(line_with(101, 0)), bk::Error);
    EXPECT_THROW((void)parse_index_line(line_with(60, UINT64_MAX - 10)), bk::Error);
}

TEST_F(IndexBed, ComesBackFromTheStorage) {
    const std::vector<IndexRecord> records = sample_records();
    const std::string text = text_of(records);
    put({text});
    EXPECT_EQ(text_of(read()), text);
    // However it is cut into frames, even in the middle of a line.
    put({text.substr(0, 1), text.substr(1, 200), text.substr(201)});
    EXPECT_EQ(text_of(read()), text);
    put({text}, false);
    EXPECT_EQ(text_of(read(false)), text);
}

TEST_F(IndexBed, ALargeOneIsReadInPieces) {
    describe(9000);
    const std::vector<IndexRecord> records = records_of(9000);
    const std::string text = text_of(records);
    ASSERT_GT(text.size(), 1u << 20);
    std::vector<std::string> frames;
    for (size_t at = 0; at < text.size(); at += 100'000)
        frames.push_back(text.substr(at, 100'000));
    put(frames);
    store->read_limit = 33'333;
    EXPECT_EQ(text_of(read()), text);
    put(frames, false);
    EXPECT_EQ(text_of(read(false)), text);
}

TEST_F(IndexBed, CutAtAnyByteItIsCorrupt) {
    const std::string text = text_of(sample_records());
    for (const bool compressed : {true, false}) {
        put({text.substr(0, 300), text.substr(300)}, compressed);
        const MemoryStore::Data whole = store->object(kFolder + "index.ndjson");
        for (size_t n = 0; n < whole.size(); ++n) {
            MemoryStore::Data cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(n));
            store->set_object(kFolder + "index.ndjson", cut); // the manifest knows its size
            ASSERT_EQ(status(nullptr, compressed), BK_E_CORRUPT) << "cut to " << n;
            put_raw(cut); // the manifest was forged along
            ASSERT_EQ(status(nullptr, compressed), BK_E_CORRUPT) << "forged, cut to " << n;
            put_raw(whole);
        }
    }
}

TEST_F(IndexBed, WithAnyBitFlippedItIsCorrupt) {
    const std::string text = text_of(sample_records());
    for (const bool compressed : {true, false}) {
        put({text.substr(0, 300), text.substr(300)}, compressed);
        const size_t size = bed.manifest.index.size;
        for (size_t at = 0; at < size; ++at)
            for (unsigned bit = 0; bit < 8; ++bit) {
                store->flip_bit(kFolder + "index.ndjson", at, bit);
                ASSERT_EQ(status(nullptr, compressed), BK_E_CORRUPT)
                    << "byte " << at << " bit " << bit << (compressed ? "" : " without a codec");
                store->flip_bit(kFolder + "index.ndjson", at, bit);
            }
        EXPECT_EQ(status(nullptr, compressed), BK_OK);
    }
}

TEST_F(IndexBed, OfAnotherArchiveItIsRefused) {
    std::vector<IndexRecord> records = sample_records();
    records[0] = IndexBegin{"20260211T031500Z-aaaaaa"};
    put({text_of(records)});
    std::string text;
    EXPECT_EQ(status(&text), BK_E_CORRUPT);
    EXPECT_THAT(text, HasSubstr("belongs to another archive"));
    EXPECT_THAT(text, HasSubstr("storage 'a', object '" + kFolder + "index.ndjson'"));
}

TEST_F(IndexBed, WithARecordMissingItIsCorrupt) {
    const std::vector<std::pair<size_t, const char*>> missing{
        {0, "first line is missing"},
        {2, "section 0 is not described"},
        {kFirstFrame, "frame 0 is missing"},
        {kFirstFrame + 1, "frame 1 is missing"},
        {kBehindFrames - 1, "volume 0 ends within a fragment"},
        {kBehindFrames + 2, "number of warnings differs"},
        {kBehindFrames + 3, "last volume has no sums"},
        {kBehindFrames + 4, "a section has no sums"},
        {kBehindFrames + 6, "truncated"}};
    for (const auto& [which, why] : missing) {
        std::vector<IndexRecord> records = sample_records();
        records.erase(records.begin() + static_cast<ptrdiff_t>(which));
        put({text_of(records)});
        std::string text;
        EXPECT_EQ(status(&text), BK_E_CORRUPT) << which;
        EXPECT_THAT(text, HasSubstr(why));
    }
}

TEST_F(IndexBed, WithSomethingBehindItsEndItIsCorrupt) {
    put({text_of(sample_records()) + index_line(Warning{"a", "b", "c"})});
    std::string text;
    EXPECT_EQ(status(&text), BK_E_CORRUPT);
    EXPECT_THAT(text, HasSubstr("follows its end"));
}

TEST_F(IndexBed, EmptyItIsCorrupt) {
    put({""});
    EXPECT_EQ(status(), BK_E_CORRUPT);
    put({}, false);
    EXPECT_EQ(status(nullptr, false), BK_E_CORRUPT);
}

TEST_F(IndexBed, RecordsOfALaterVersionAreSkipped) {
    const std::vector<IndexRecord> records = sample_records();
    std::string text;
    for (const IndexRecord& record : records)
        text +=
            index_line(record) +
            (std::holds_alternative<IndexEnd>(record) ? "" : "{\"t\":\"hologram\",\"n\":[1,2]}\n");
    put({text});
    EXPECT_EQ(text_of(read()), text_of(records));
}

TEST_F(IndexBed, EveryRuleOfTheFormatIsHeld) {
    using Change = std::function<void(std::vector<IndexRecord>&)>;
    const auto in_frame = [](size_t number, auto change) -> Change {
        return [=](std::vector<IndexRecord>& all) {
            change(std::get<IndexFrame>(all[kFirstFrame + number]));
        };
    };
    const auto in = [](size_t behind, auto type, auto change) -> Change {
        return [=](std::vector<IndexRecord>& all) {
            change(std::get<decltype(type)>(all[kBehindFrames + behind]));
        };
    };
    const std::vector<std::pair<const char*, Change>> breaches{
        {"plain offset", in_frame(1, [](auto& f) { ++f.plain_offset; })},
        {"packed offset", in_frame(2, [](auto& f) { --f.packed_offset; })},
        {"another volume", in_frame(1, [](auto& f) { f.volume = 1; })},
        {"another component", in_frame(1, [](auto& f) { f.component = 1; })},
        {"no segment", in_frame(1, [](auto& f) { f.segments.clear(); })},
        {"gap in a section", in_frame(2, [](auto& f) { ++f.segments[0].section_offset; })},
        {"first flag missing", in_frame(1, [](auto& f) { f.segments[0].first = false; })},
        {"first flag too much", in_frame(2, [](auto& f) { f.segments[0].first = true; })},
        {"more without more", in_frame(1, [](auto& f) { f.more = true; })},
        {"group cut", in_frame(3, [](auto& f) { f.more = false; })},
        {"continued by nothing", in_frame(2, [](auto& f) { f.segments[0].continued = true; })},
        {"back to a phase", in_frame(2, [](auto& f) { f.segments[0].section = 0; })},
        {"rows of a volume", in(3, IndexVolume{}, [](auto& v) { ++v.frames; })},
        {"bytes of a volume", in(3, IndexVolume{}, [](auto& v) { ++v.packed; })},
        {"bytes of a section", in(5, IndexTotal{}, [](auto& t) { ++t.bytes; })},
        {"rows of a section", in(5, IndexTotal{}, [](auto& t) { ++t.sum.rows; })},
        {"digest of a section", in(5, IndexTotal{}, [](auto& t) { ++t.sum.low; })},
        {"frames at the end", in(6, IndexEnd{}, [](auto& e) { ++e.frames; })},
        {"sections at the end", in(6, IndexEnd{}, [](auto& e) { ++e.sections; })},
        {"bytes at the end", in(6, IndexEnd{}, [](auto& e) { ++e.plain; })}};
    put({text_of(sample_records())});
    ASSERT_EQ(status(), BK_OK);
    for (const auto& [what, change] : breaches) {
        std::vector<IndexRecord> records = sample_records();
        change(records);
        put({text_of(records)});
        EXPECT_EQ(status(), BK_E_CORRUPT) << what;
    }
    put({text_of(sample_records())});
    bed.manifest.rows = 17;
    EXPECT_EQ(status(), BK_E_CORRUPT) << "rows of the manifest";
}

TEST_F(IndexBed, ASectionOfAnUnknownPhaseIsCorrupt) {
    std::vector<IndexRecord> records = sample_records();
    std::get<SectionInfo>(records[2]).phase = 6;
    put({text_of(records)});
    EXPECT_EQ(status(), BK_E_CORRUPT);
}

TEST(IndexWriter, RefusesMetaThatIsNotJson) {
    ArchiveBed bed;
    WriteSpec spec;
    spec.storages = {&bed.storage("a")};
    spec.units = {{[](bk::Sink sink) {
        write_fragment(sink, "t", "bytes");
        sink.meta("position", "{not json");
    }}};
    try {
        bed.write(spec);
        FAIL() << "accepted";
    } catch (const bk::Error& error) {
        EXPECT_EQ(error.status(), BK_E_INVALID);
        EXPECT_THAT(error.what(), HasSubstr("'position'"));
    }
}

} // namespace
} // namespace bkhost
