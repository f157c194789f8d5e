// Frames found without the index, and an index made of them: as good as the one that was lost.
#include "core/archive/index_audit.hpp"
#include "core/archive/index_builder.hpp"
#include "core/testing/archive_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bkhost::test {
namespace {

using testing::HasSubstr;

class Rebuilt : public testing::Test {
protected:
    /// Two units of sections in turn, with one fragment of several frames.
    WriteSpec spec(bool sql, bool compressed) {
        WriteSpec all;
        all.storages = {&storage};
        all.sql = sql;
        all.volume_size = 20'000;
        if (compressed) all.compressor = codec;
        for (int unit = 0; unit < 2; ++unit)
            all.units.push_back({[unit](bk::Sink sink) {
                for (int i = 0; i < 30; ++i)
                    write_fragment(sink, "t" + std::to_string(unit * 2 + i % 2),
                                   std::string(i == 7 ? 15'000 : 700, char('a' + i % 26)) + "\n");
            }});
        return all;
    }
    std::vector<IndexFrame> original(const DriverPtr& compressor) {
        std::vector<IndexFrame> frames;
        IndexReader reader(bed.access(storage), bed.manifest, compressor);
        while (std::optional<IndexRecord> record = reader.next())
            if (auto* frame = std::get_if<IndexFrame>(&*record)) frames.push_back(*frame);
        return frames;
    }
    /// Held to every rule of the format on the way.
    std::vector<IndexFrame> rebuild(const DriverPtr& compressor) {
        Manifest manifest = bed.manifest;
        manifest.warnings = 0;
        IndexAudit audit(manifest);
        audit.take(IndexBegin{manifest.id});
        std::vector<IndexFrame> frames;
        const ComponentRecord component = bed.manifest.components.front();
        IndexBuilder builder(component, [&](const IndexRecord& record) {
            audit.take(record);
            if (auto* frame = std::get_if<IndexFrame>(&record)) frames.push_back(*frame);
        });
        for (const ObjectRecord& volume : component.volumes) {
            FrameScanner scanner(bed.access(storage), volume, compressor,
                                 component.marker.empty() ? "" : marker_start(component.marker));
            while (const std::optional<FoundFrame> frame = scanner.next())
                builder.frame(*frame);
            builder.end_volume();
        }
        manifest.components.front().frames = builder.frames();
        builder.finish();
        EXPECT_TRUE(audit.ended());
        return frames;
    }
    bk::Error failure(const DriverPtr& compressor) {
        try {
            (void)rebuild(compressor);
        } catch (const bk::Error& error) {
            return error;
        }
        return bk::Error(BK_OK, "accepted");
    }

    ArchiveBed bed;
    DriverPtr codec = bed.compressor();
    Storage& storage = bed.storage("a");
    std::shared_ptr<MemoryStore> store = memory_store("a");
};

TEST_F(Rebuilt, OfPackedSqlItIsTheOriginalButForRows) {
    bed.write(spec(true, true));
    ASSERT_GT(bed.manifest.components.front().volumes.size(), 1u);
    const std::vector<IndexFrame> before = original(codec), after = rebuild(codec);
    ASSERT_EQ(before.size(), after.size());
    bool group = false;
    for (size_t i = 0; i < before.size(); ++i) {
        IndexFrame expected = before[i];
        for (IndexSegment& segment : expected.segments)
            segment.sum = {.digest_known = false, .counted = false};
        EXPECT_EQ(index_line(expected), index_line(after[i]));
        group = group || expected.more;
    }
    EXPECT_TRUE(group) << "no fragment spans frames: the test proves nothing";
}

TEST_F(Rebuilt, OfStoredSqlEachRunIsAFrame) {
    bed.write(spec(true, false));
    const std::vector<IndexFrame> before = original(nullptr), after = rebuild(nullptr);
    std::map<uint32_t, uint64_t> bytes, again;
    size_t runs = 0;
    for (const IndexFrame& frame : before)
        for (const IndexSegment& segment : frame.segments) {
            bytes[segment.section] += segment.length;
            runs += segment.continued ? 0 : 1;
        }
    for (const IndexFrame& frame : after)
        for (const IndexSegment& segment : frame.segments)
            again[segment.section] += segment.length;
    EXPECT_EQ(bytes, again);
    EXPECT_EQ(after.size(), runs);
}

TEST_F(Rebuilt, OfOtherFormatsAVolumeIsOneGroupOfOneSection) {
    for (const bool compressed : {true, false}) {
        const DriverPtr by = compressed ? codec : nullptr;
        bed.write(spec(false, compressed));
        const std::vector<IndexFrame> frames = rebuild(by);
        for (size_t i = 0; i < frames.size(); ++i) {
            const bool last = i + 1 == frames.size() || frames[i + 1].volume != frames[i].volume;
            EXPECT_EQ(frames[i].more, !last);
            ASSERT_EQ(frames[i].segments.size(), 1u);
            EXPECT_EQ(frames[i].segments[0].length, frames[i].plain_length);
        }
    }
}

TEST_F(Rebuilt, LongRunsOfStoredSqlAreCutIntoAGroup) {
    WriteSpec large;
    large.storages = {&storage};
    large.sql = true;
    large.plan.frame_size = 10 << 20;
    large.plan.frame_capacity = 15 << 20;
    large.units = {{[](bk::Sink sink) {
        write_fragment(sink, "t", std::string(9 << 20, 'x') + "\n");
        write_fragment(sink, "u", "y\n");
    }}};
    bed.write(large);
    const std::vector<IndexFrame> frames = rebuild(nullptr);
    ASSERT_EQ(frames.size(), 4u);
    EXPECT_TRUE(frames[0].more && frames[1].more && !frames[2].more && !frames[3].more);
    EXPECT_EQ(frames[0].plain_length, kFrameTarget);
}

TEST_F(Rebuilt, AFlippedBitAnywhereInAVolumeIsFound) {
    for (const bool compressed : {true, false}) {
        const DriverPtr by = compressed ? codec : nullptr;
        bed.write(spec(true, compressed));
        const ObjectRecord volume = bed.manifest.components.front().volumes.front();
        for (uint64_t at = 0; at < volume.size; at += volume.size / 50 + 1) {
            store->flip_bit(kFolder + volume.key, at);
            const bk::Error error = failure(by);
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << at << ": " << error.what();
            store->flip_bit(kFolder + volume.key, at);
        }
        EXPECT_EQ(failure(by).status(), BK_OK);
    }
}

TEST_F(Rebuilt, AVolumeThatIsMissingOrCutIsFound) {
    bed.write(spec(true, true));
    const std::string key = kFolder + bed.manifest.components.front().volumes.back().key;
    MemoryStore::Data data = store->object(key);
    const MemoryStore::Data whole = data;
    store->erase(key);
    EXPECT_THAT(failure(codec).what(), HasSubstr("missing"));
    data.resize(data.size() - 30);
    store->set_object(key, data);
    EXPECT_EQ(failure(codec).status(), BK_E_CORRUPT);
    ObjectRecord& record = bed.manifest.components.front().volumes.back();
    record.size = record.packed_size = data.size(); // a manifest that was forged along
    record.sha256 = sha256_hex(data);
    EXPECT_THAT(failure(codec).what(), HasSubstr("ends inside a frame"));
    store->set_object(key, whole);
}

TEST_F(Rebuilt, AStreamThatNoWriterMakesIsRefused) {
    bed.write(spec(true, false));
    ComponentRecord& component = bed.manifest.components.front();
    component.marker = std::string(32, '0'); // another one: the stream has no marker then
    EXPECT_THAT(failure(nullptr).what(), HasSubstr("does not begin with a section marker"));
    component.marker = kMarker;
    ++component.volumes.front().plain_size;
    EXPECT_THAT(failure(nullptr).what(), HasSubstr("another length"));
}

} // namespace
} // namespace bkhost::test
