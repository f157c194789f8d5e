// Any range of a section through whole archives, what is fetched for it, and damage in and beside
// it.
#include "core/archive/section_reader.hpp"
#include "core/testing/archive_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace bkhost {
namespace {

using namespace test;
using testing::HasSubstr;

/// What the body throws; OK when it does not.
template <class Body>
bk::Error thrown(Body&& body) {
    try {
        body();
    } catch (const bk::Error& error) {
        return error;
    }
    return {BK_OK, ""};
}

/// An archive whose one unit writes the pages of an image.
class SectionBed : public ArchiveBed {
public:
    struct With {
        bool codec = true, cipher = true, ordered = true;
        uint64_t volume_size = uint64_t{64} << 30;
        uint64_t fragments = 100, sections = 1;
    };
    explicit SectionBed(const With& with) {
        spec.storages = {&store_handle};
        if (with.codec) spec.compressor = compressor();
        if (with.cipher) spec.encryptor = encryptor();
        spec.volume_size = with.volume_size;
        std::vector<std::string> fragments;
        for (uint64_t i = 0; i < with.fragments; ++i)
            fragments.push_back(filling(i, 1000));
        fragments.insert(fragments.begin() + 5, filling(999, 20'000)); // spans frames
        for (const std::string& fragment : fragments)
            expected += fragment;
        const uint32_t flags = with.ordered ? uint32_t{BK_SECTION_ORDERED} : 0;
        for (uint64_t n = 0; n < with.sections; ++n)
            spec.units.push_back(
                {[fragments, flags, n](bk::Sink sink) {
                     sink.section({.flags = flags, .kind = "image", .name = std::to_string(n)});
                     for (const std::string& fragment : fragments) {
                         sink.write(fragment);
                         sink.cut();
                     }
                 },
                 with.ordered});
        write(spec);
    }
    std::unique_ptr<SectionReader> open(uint64_t memory = 1 << 20) {
        return std::make_unique<SectionReader>(access(store_handle, spec.encryptor), manifest,
                                               spec.compressor, memory);
    }
    static std::string read(SectionReader& reader, uint64_t offset, size_t size) {
        std::string text(size, '\0');
        reader.read_at(offset, {reinterpret_cast<uint8_t*>(text.data()), size});
        return text;
    }
    bk::Error failure(SectionReader& reader, uint64_t offset, size_t size) {
        return thrown([&] { (void)read(reader, offset, size); });
    }

    Storage& store_handle = storage("a");
    std::shared_ptr<MemoryStore> store = memory_store("a");
    WriteSpec spec;
    std::string expected;
};

TEST(SectionReader, GivesAnyRange) {
    std::mt19937 random(20260211);
    for (const bool codec : {true, false})
        for (const bool cipher : {true, false}) {
            SectionBed bed({.codec = codec, .cipher = cipher, .volume_size = 30'000});
            ASSERT_GT(bed.manifest.components.front().volumes.size(), 2u);
            for (const uint64_t memory : {0, 1 << 20}) { // one frame at a time, and all
                const auto reader = bed.open(memory);
                ASSERT_EQ(reader->size(), bed.expected.size());
                EXPECT_TRUE(SectionBed::read(*reader, 0, bed.expected.size()) == bed.expected);
                for (int i = 0; i < 200; ++i) {
                    const size_t from = random() % bed.expected.size();
                    const size_t size =
                        random() % std::min<size_t>(9000, bed.expected.size() - from + 1);
                    ASSERT_TRUE(SectionBed::read(*reader, from, size) ==
                                bed.expected.substr(from, size));
                }
            }
        }
}

TEST(SectionReader, OnlyWhatIsNeededIsFetchedAndOnce) {
    SectionBed bed({.cipher = false, .fragments = 400});
    const auto reader = bed.open();
    bed.store->reset_counts();
    for (int round = 0; round < 3; ++round)
        for (uint64_t offset = 200'000; offset < 240'000; offset += 500)
            (void)SectionBed::read(*reader, offset, 500);
    EXPECT_GE(bed.store->bytes_read(), 40'000u);
    EXPECT_LE(bed.store->bytes_read(), 40'000u + 3 * 6144); // edges and the codec's heads
    EXPECT_GE(reader->fetched(), 40'000u);
    EXPECT_LE(reader->fetched(), 40'000u + 2 * 6144);
}

TEST(SectionReader, HoldsNoMoreThanItsMemory) {
    SectionBed bed({.cipher = false, .fragments = 400});
    const auto fetched_twice = [&](uint64_t memory) {
        const auto reader = bed.open(memory);
        for (int round = 0; round < 2; ++round)
            (void)SectionBed::read(*reader, 100'000, 100'000);
        return reader->fetched() > 150'000;
    };
    EXPECT_TRUE(fetched_twice(50'000));
    EXPECT_FALSE(fetched_twice(150'000));
}

TEST(SectionReader, DamageCountsWhereItIsNeededAndNowhereElse) {
    for (const bool cipher : {true, false}) {
        SectionBed bed({.cipher = cipher, .fragments = 400});
        const std::string key = kFolder + bed.manifest.components.front().volumes.front().key;
        bed.store->flip_bit(key, bed.store->object(key).size() / 2);
        const auto reader = bed.open();
        const size_t half = bed.expected.size() / 2;
        EXPECT_TRUE(SectionBed::read(*reader, 0, half - 20'000) ==
                    bed.expected.substr(0, half - 20'000));
        EXPECT_TRUE(SectionBed::read(*reader, half + 20'000, 100'000) ==
                    bed.expected.substr(half + 20'000, 100'000));
        const bk::Error error = bed.failure(*reader, half - 20'000, 40'000);
        EXPECT_EQ(error.status(), BK_E_CORRUPT);
        EXPECT_THAT(error.what(), HasSubstr("storage 'a', object '" + key));
    }
}

TEST(SectionReader, PastTheEndAndCancelled) {
    SectionBed bed({});
    const auto reader = bed.open();
    EXPECT_EQ(bed.failure(*reader, bed.expected.size(), 1).status(), BK_E_INVALID);
    EXPECT_EQ(bed.failure(*reader, UINT64_MAX, 2).status(), BK_E_INVALID);
    (void)SectionBed::read(*reader, bed.expected.size(), 0);
    bed.stop.request_stop();
    EXPECT_EQ(bed.failure(*reader, 0, 1).status(), BK_E_CANCELLED);
}

TEST(SectionReader, TheDriversTableIsTheSame) {
    SectionBed bed({});
    const auto reader = bed.open();
    const bk_random_source* source = reader->source();
    std::string text(1500, '\0');
    bk_error error = bk::empty_error();
    EXPECT_EQ(source->size, bed.expected.size());
    EXPECT_EQ(source->read_at(source, 777, text.data(), text.size(), &error), BK_OK);
    EXPECT_EQ(text, bed.expected.substr(777, 1500));
    EXPECT_EQ(source->read_at(source, source->size - 1, text.data(), 2, &error), BK_E_INVALID);
    EXPECT_THAT(error.message, HasSubstr("past the end"));
}

TEST(SectionReader, SeveralSectionsOrUnorderedOnesAreRefused) {
    for (const SectionBed::With& with :
         {SectionBed::With{.ordered = false}, SectionBed::With{.sections = 2}}) {
        SectionBed bed(with);
        EXPECT_EQ(thrown([&] { (void)bed.open(); }).status(), BK_E_UNSUPPORTED);
    }
}

} // namespace
} // namespace bkhost
