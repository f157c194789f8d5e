// Whole archives read back: every byte, ranges only, and that no damage gets through.
#include "core/testing/archive_bed.hpp"
#include "core/testing/time_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <random>

namespace bkhost {
namespace {

using namespace test;
using testing::AnyOf;
using testing::HasSubstr;

/// An archive on storage "a", and what its sections must be.
class FrameBed : public ArchiveBed {
public:
    struct With {
        bool codec = true, cipher = true, sql = false;
        uint64_t volume_size = uint64_t{64} << 30;
        uint64_t fragments = 30;
    };
    explicit FrameBed(const With& with) {
        spec.storages = {&store_handle};
        if (with.codec) spec.compressor = compressor();
        if (with.cipher) spec.encryptor = encryptor();
        spec.sql = with.sql;
        spec.volume_size = with.volume_size;
        for (const std::string& name : {std::string("users"), std::string("orders")}) {
            std::vector<std::string> fragments;
            for (uint64_t i = 0; i < with.fragments; ++i)
                fragments.push_back(filling(i + name.size(), 100 + i * 53));
            fragments.insert(fragments.begin() + 3, filling(9, 20'000)); // spans frames
            for (const std::string& fragment : fragments)
                expected[name] += fragment;
            rows += fragments.size();
            spec.units.push_back({[name, fragments](bk::Sink sink) {
                for (const std::string& fragment : fragments)
                    write_fragment(sink, name, fragment);
            }});
        }
        write(spec);
    }
    ReadBack read_all(FrameReader::Setup setup = {2, 1 << 20}) {
        return read(access(store_handle, spec.encryptor), spec.compressor, std::move(setup));
    }
    std::string failure(bk_status expected_status = BK_E_CORRUPT) {
        try {
            (void)read_all();
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), expected_status) << error.what();
            return error.what();
        }
        return {};
    }
    [[nodiscard]] std::string key(size_t volume = 0) const {
        return kFolder + manifest.components.front().volumes.at(volume).key;
    }

    Storage& store_handle = storage("a");
    std::shared_ptr<MemoryStore> store = memory_store("a");
    WriteSpec spec;
    std::map<std::string, std::string> expected;
    uint64_t rows = 0;
};

TEST(FrameReader, AFullReadIsTheDump) {
    for (const bool codec : {true, false})
        for (const bool cipher : {true, false})
            for (const bool sql : {true, false}) {
                FrameBed bed({codec, cipher, sql});
                const ReadBack back = bed.read_all();
                EXPECT_TRUE(back.sections == bed.expected);
                EXPECT_EQ(back.rows, bed.rows);
                EXPECT_EQ(back.frames, bed.manifest.components.front().frames);
                EXPECT_EQ(back.stream.size(), bed.manifest.plain_size);
                EXPECT_GT(back.frames, 10u);
            }
}

TEST(FrameReader, ACodecThatDoublesItsInputIsReadBackToo) {
    FrameBed bed({false, false});
    FrameBed doubled({false, true});
    doubled.spec.compressor = doubled.compressor("swell");
    doubled.write(doubled.spec);
    EXPECT_TRUE(doubled.read_all().sections == doubled.expected);
    EXPECT_GT(doubled.manifest.components.front().volumes.front().packed_size,
              2 * bed.manifest.plain_size);
}

TEST(FrameReader, SeveralVolumesLaidEndToEndAreTheDump) {
    for (const bool cipher : {true, false}) {
        FrameBed bed({.cipher = cipher, .volume_size = 10'000});
        const std::vector<ObjectRecord>& volumes = bed.manifest.components.front().volumes;
        ASSERT_GT(volumes.size(), 4u);
        EXPECT_THAT(volumes[1].key, HasSubstr("shop.001.db.sto"));
        EXPECT_TRUE(bed.read_all().sections == bed.expected);
        uint64_t plain = 0;
        for (const ObjectRecord& volume : volumes) {
            EXPECT_EQ(volume.sha256, sha256_hex(bed.store->object(kFolder + volume.key)));
            EXPECT_EQ(volume.size, bed.store->object(kFolder + volume.key).size());
            plain += volume.plain_size;
        }
        EXPECT_EQ(plain, bed.manifest.plain_size);
        // No group of frames is cut by the end of a volume.
        std::optional<IndexFrame> last;
        IndexReader index(bed.access(bed.store_handle, bed.spec.encryptor), bed.manifest,
                          bed.spec.compressor);
        while (const std::optional<IndexRecord> record = index.next()) {
            const auto* frame = std::get_if<IndexFrame>(&*record);
            if (frame == nullptr) continue;
            if (last && last->more) {
                EXPECT_EQ(last->volume, frame->volume);
            }
            last = *frame;
        }
    }
}

TEST(FrameReader, WhatIsWantedIsReadAndNotMuchElse) {
    FrameBed bed({.volume_size = 60'000, .fragments = 200});
    uint64_t wanted_bytes = 0, wanted_frames = 0;
    bed.store->reset_counts();
    const auto wanted = [&](const IndexFrame& frame) {
        if (frame.number % 16 != 5) return false;
        wanted_bytes += frame.packed_length;
        ++wanted_frames;
        return true;
    };
    const ReadBack back = bed.read_all({2, 1 << 20, wanted});
    EXPECT_EQ(back.frames, wanted_frames);
    ASSERT_GT(wanted_frames, 10u);
    // Each range: its cipher blocks (one more at either end) and the header.
    const uint64_t blocks = (wanted_bytes / 1024 + 2 * wanted_frames) * 1041 + wanted_frames * 16;
    EXPECT_LE(bed.store->bytes_read(), blocks + bed.manifest.index.size);
    EXPECT_LT(bed.store->bytes_read(), bed.manifest.plain_size / 2);
}

TEST(FrameReader, WantedNeighboursAreReadAsOneRange) {
    FrameBed bed({.codec = true, .cipher = false});
    bed.store->reset_counts();
    const ReadBack back = bed.read_all({1, 1 << 20, [](const IndexFrame& frame) {
                                            return frame.number >= 2 && frame.number < 8;
                                        }});
    EXPECT_EQ(back.frames, 6u);
    EXPECT_EQ(bed.store->calls(Call::open), 2u); // the index and one range
}

TEST(FrameReader, NothingWantedIsNothingRead) {
    FrameBed bed({});
    bed.store->reset_counts();
    EXPECT_EQ(bed.read_all({1, 1 << 20, [](const IndexFrame&) { return false; }}).frames, 0u);
    EXPECT_EQ(bed.store->bytes_read(), bed.manifest.index.size + 0u);
}

TEST(FrameReader, OneFrameAtATimeIsEnough) {
    FrameBed bed({});
    for (const unsigned workers : {1u, 4u})
        with_time_limit(bed.stop, [&] {
            EXPECT_TRUE(bed.read_all({workers, 1}).sections == bed.expected);
        });
}

TEST(FrameReader, EveryFlippedBitOfAVolumeIsAnError) {
    std::mt19937_64 random(17);
    for (const bool protected_ : {true, false}) {
        FrameBed bed({.codec = protected_, .cipher = protected_, .fragments = 12});
        const size_t size = bed.manifest.components.front().volumes.front().size;
        for (int round = 0; round < 1000; ++round) {
            const size_t at = random() % size;
            const unsigned bit = random() % 8;
            bed.store->flip_bit(bed.key(), at, bit);
            const std::string text = bed.failure();
            ASSERT_FALSE(text.empty()) << "accepted: byte " << at << " bit " << bit;
            ASSERT_THAT(text, HasSubstr("object '" + bed.key() + "'"));
            bed.store->flip_bit(bed.key(), at, bit);
        }
        EXPECT_EQ(bed.failure(), "");
    }
}

TEST(FrameReader, DamageKeyAndAbsenceAreToldApart) {
    {
        FrameBed bed({});
        bed.store->flip_bit(bed.key(), 10);
        EXPECT_THAT(bed.failure(), HasSubstr("the header is damaged"));
    }
    {
        FrameBed bed({});
        bed.spec.encryptor = bed.encryptor("key two");
        EXPECT_THAT(bed.failure(BK_E_DENIED), HasSubstr("wrong key"));
    }
    {
        FrameBed bed({.cipher = false});
        bed.store->flip_bit(bed.key(), 5000);
        EXPECT_THAT(bed.failure(), AnyOf(HasSubstr("is damaged: compressor 'store'"),
                                         HasSubstr("its sha256 differs")));
    }
    {
        FrameBed bed({.codec = false, .cipher = false});
        bed.store->flip_bit(bed.key(), 5000);
        EXPECT_THAT(bed.failure(), AnyOf(HasSubstr("is damaged: its checksum differs"),
                                         HasSubstr("its sha256 differs")));
    }
    {
        FrameBed bed({.volume_size = 10'000});
        bed.store->erase(bed.key(1));
        EXPECT_THAT(bed.failure(), HasSubstr("the object is missing"));
    }
    {
        FrameBed bed({});
        MemoryStore::Data data = bed.store->object(bed.key());
        data.push_back(0);
        bed.store->set_object(bed.key(), data);
        EXPECT_THAT(bed.failure(), HasSubstr("bytes, the manifest says"));
    }
    {
        FrameBed bed({});
        bed.store->erase(kFolder + bed.manifest.index.key);
        EXPECT_THAT(bed.failure(), HasSubstr("the object is missing"));
    }
}

/// A flipped bit may ask for a dictionary or a large window: no other program would read it either.
TEST(FrameReader, WhatTheCodecDoesNotKnowIsDamageOfTheObject) {
    FrameBed bed({.cipher = false});
    const auto failure = [&] {
        try {
            (void)bed.read_all({1, 1 << 20, [](const IndexFrame& f) { return f.number == 0; }});
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), BK_E_CORRUPT) << error.what();
            return std::string(error.what());
        }
        return std::string();
    };
    EXPECT_EQ(failure(), "");
    bed.store->flip_bit(bed.key(), 3); // "FAKD"
    EXPECT_THAT(failure(), HasSubstr(bed.key() + "': frame 0 is damaged: compressor 'store': "
                                                 "needs a dictionary"));
    const std::string index = kFolder + bed.manifest.index.key;
    bed.store->flip_bit(index, 3);
    bed.manifest.index.sha256 = sha256_hex(bed.store->object(index));
    EXPECT_THAT(failure(), HasSubstr(index + "' is damaged: compressor 'store'"));
}

TEST(FrameReader, AVolumeThatTheManifestDoesNotHaveIsCorrupt) {
    FrameBed bed({.volume_size = 10'000});
    bed.manifest.components.front().volumes.resize(1);
    EXPECT_THAT(bed.failure(), HasSubstr("which the manifest does not have"));
}

TEST(FrameReader, VolumesThatWereSwappedAreCorrupt) {
    FrameBed bed({.codec = true, .cipher = false, .volume_size = 10'000});
    std::vector<ObjectRecord>& volumes = bed.manifest.components.front().volumes;
    std::swap(volumes[0], volumes[1]);
    EXPECT_NE(bed.failure(), "");
}

TEST(FrameReader, AConsumerThatStopsEarlyLeavesNothingBehind) {
    FrameBed bed({});
    with_time_limit(bed.stop, [&] {
        Crew crew({});
        FrameReader reader(crew, bed.access(bed.store_handle, bed.spec.encryptor), bed.manifest,
                           bed.spec.compressor, {2, 30'000});
        const ReadFramePtr frame = reader.next();
        ASSERT_NE(frame, nullptr);
        EXPECT_EQ(frame->index.number, 0u);
        crew.stop();
        EXPECT_FALSE(crew.wait());
    });
}

TEST(FrameReader, CancelEndsAReadThatBlocks) {
    FrameBed bed({});
    const auto gate = bed.store->block(Call::read, 3, bed.key());
    with_time_limit(bed.stop, [&] {
        auto reading = std::async(std::launch::async, [&] { return bed.failure(BK_E_CANCELLED); });
        gate->wait_reached();
        bed.stop.request_stop();
        EXPECT_THAT(reading.get(),
                    testing::AnyOf(HasSubstr("cancelled"), HasSubstr("interrupted")));
    });
}

TEST(FrameReader, AStorageThatFailsInTheMiddleEndsTheRead) {
    FrameBed bed({});
    bed.store->fail({.call = Call::read, .nth = 3, .status = BK_E_UNAVAILABLE, .key = "shop.db"});
    bed.store->read_limit = 4096;
    EXPECT_THAT(bed.failure(BK_E_UNAVAILABLE), HasSubstr("made to fail"));
}

TEST(FrameReader, ASectionThatTheIndexDoesNotHaveIsCorrupt) {
    FrameBed bed({});
    Crew crew({});
    FrameReader reader(crew, bed.access(bed.store_handle, bed.spec.encryptor), bed.manifest,
                       bed.spec.compressor, {1, 1 << 20});
    EXPECT_THROW((void)reader.section(77), bk::Error);
    crew.stop();
    (void)crew.wait();
}

} // namespace
} // namespace bkhost
