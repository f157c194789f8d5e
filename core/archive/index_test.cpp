// The index: its records as lines, and that a damaged, cut or foreign one is never taken for whole.
#include "core/archive/index_reader.hpp"
#include "core/testing/archive_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

std::vector<IndexRecord> sample_records() {
    SectionInfo section{1, 0, BK_PHASE_DATA, 2, true, "table", "main", "users \"ü\"", "a,b"};
    return {IndexBegin{kArchiveId},
            IndexComponent{0, "shop"},
            SectionInfo{0, 0, BK_PHASE_PRE, 0, false, "schema", "", "schema", ""},
            section,
            frame(0),
            frame(1),
            IndexMeta{0, "position", R"({"lsn":17})"},
            IndexProof{0, "main", "users", {12, 3, 4, true}},
            Warning{"code", "main.users", "text\nwith a newline"},
            IndexVolume{0, 1, 2, 200, 100},
            IndexTotal{1, 100, {4, 0, 0, false}},
            IndexEnd{2, 2, 200}};
}

std::string text_of(const std::vector<IndexRecord>& records) {
    std::string text;
    for (const IndexRecord& record : records)
        text += index_line(record);
    return text;
}

/// An index object laid down by hand, and a reader over it.
class IndexBed : public testing::Test {
protected:
    IndexBed() { bed.manifest.id = kArchiveId; }

    /// `frames`: plain texts, each packed on its own.
    void put(const std::vector<std::string>& frames, bool compressed = true) {
        MemoryStore::Data data;
        for (const std::string& text : frames) {
            MemoryStore::Data packed(as_bytes(text).begin(), as_bytes(text).end());
            if (compressed) {
                Codec codec(codec_driver, bed.services, BK_FORWARD);
                packed.clear();
                packed.resize(codec.frame(as_bytes(text), packed));
            }
            data.insert(data.end(), packed.begin(), packed.end());
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
    for (const IndexRecord& record : sample_records()) {
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
         R"({"t":"total","n":0,"bytes":1,"rows":1,"digest":"zz345678901234567890123456789012"})"}) {
        try {
            (void)parse_index_line(line);
            ADD_FAILURE() << "accepted: " << line;
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << line;
        }
    }
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
    std::vector<IndexRecord> records{IndexBegin{kArchiveId}};
    uint64_t plain = 0;
    for (uint64_t i = 0; i < 6000; ++i, plain += 100)
        records.emplace_back(frame(i));
    records.emplace_back(IndexEnd{6000, 0, plain});
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
    const std::vector<std::pair<size_t, const char*>> missing{{0, "first line is missing"},
                                                              {2, "sums do not agree"},
                                                              {4, "frame 0 is missing"},
                                                              {5, "sums do not agree"},
                                                              {11, "truncated"}};
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
