// Ranges of a stored object, with and without a cipher, and what each kind of damage is called.
#include "core/archive/object_reader.hpp"

#include "core/testing/archive_bed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace bkhost {
namespace {

using namespace test;
using testing::HasSubstr;

enum class With { nothing, seekable, stream };

/// One object on storage "a".
struct OneObject {
    OneObject(With with_, size_t size_) : with(with_), plain(filling(5, size_)) {
        if (with != With::nothing)
            encryptor = bed.encryptor("key one", with == With::seekable ? "xor" : "xor-stream");
        Crew crew({});
        UploadFan fan(crew, bed.log, {&storage}, {1, 3000, 4});
        {
            ObjectWriter writer(fan, kFolder, "x", encryptor, bed.services);
            for (std::span<const uint8_t> left = as_bytes(plain); !left.empty();) {
                const size_t n = std::min<size_t>(left.size(), 777);
                writer.write(left.first(n));
                left = left.subspan(n);
            }
            if (encryptor)
                bed.manifest.encryptor = CodecRecord{"xor", "xor", "", {}, writer.fingerprints()};
            writer.finish();
            writer.commit();
            record = writer.record();
        }
        fan.close();
        crew.join();
    }
    std::string read(uint64_t begin, uint64_t end, const DriverPtr& key) {
        ObjectReader reader(bed.access(storage, key), record, begin, end);
        std::string text(end - begin, '?');
        const size_t got = reader.read({reinterpret_cast<uint8_t*>(text.data()), text.size()});
        EXPECT_EQ(got, text.size());
        uint8_t more = 0;
        EXPECT_EQ(reader.read({&more, 1}), 0u);
        if (begin < end) reader.check_end();
        return text;
    }
    std::string read(uint64_t begin, uint64_t end) { return read(begin, end, encryptor); }
    std::string failure(const DriverPtr& key, bk_status expected) {
        try {
            (void)read(0, record.packed_size, key);
        } catch (const bk::Error& error) {
            EXPECT_EQ(error.status(), expected) << error.what();
            EXPECT_THAT(error.what(), HasSubstr("storage 'a', object '" + kFolder + "x'"));
            return error.what();
        }
        ADD_FAILURE() << "read without an error";
        return {};
    }

    With with;
    std::string plain;
    ArchiveBed bed;
    Storage& storage = bed.storage("a");
    std::shared_ptr<MemoryStore> store = memory_store("a");
    DriverPtr encryptor;
    ObjectRecord record;
};

TEST(ObjectReader, EveryRangeIsExact) {
    for (const With with : {With::nothing, With::seekable, With::stream})
        for (const size_t size : {size_t{5000}, size_t{4096}, size_t{1}}) {
            OneObject object(with, size);
            object.store->read_limit = 700; // a storage may give less than was asked
            std::set<uint64_t> offsets{0, 1, size - 1, size};
            for (uint64_t at : {1023, 1024, 1025, 2047, 2048, 3000, 4095})
                if (at < size) offsets.insert(at);
            for (const uint64_t begin : offsets)
                for (const uint64_t end : offsets) {
                    if (end < begin) continue;
                    ASSERT_EQ(object.read(begin, end), object.plain.substr(begin, end - begin))
                        << begin << " to " << end << " of " << size;
                }
        }
}

TEST(ObjectReader, ARangeOfACipherReadsItsBlocksAndTheHeaderOnly) {
    OneObject object(With::seekable, 100'000);
    object.store->reset_counts();
    (void)object.read(50'000, 50'010);
    EXPECT_EQ(object.store->bytes_read(), 16u + 1041u);
    object.store->reset_counts();
    (void)object.read(1023, 1025);
    EXPECT_EQ(object.store->bytes_read(), 16u + 2 * 1041u);
}

TEST(ObjectReader, ARangeOutsideTheObjectIsCorrupt) {
    OneObject object(With::nothing, 100);
    for (const auto& [begin, end] : {std::pair<uint64_t, uint64_t>{0, 101}, {101, 101}, {60, 50}})
        EXPECT_THROW(ObjectReader(object.bed.access(object.storage), object.record, begin, end),
                     bk::Error);
}

TEST(ObjectReader, FiveKindsOfTroubleHaveFiveMessages) {
    const std::string key = kFolder + "x";
    std::vector<std::string> messages;
    {
        OneObject object(With::seekable, 5000);
        object.store->flip_bit(key, 9);
        messages.push_back(object.failure(object.encryptor, BK_E_CORRUPT));
        EXPECT_THAT(messages.back(), HasSubstr("the header is damaged"));
    }
    {
        OneObject object(With::seekable, 5000);
        messages.push_back(object.failure(object.bed.encryptor("key two"), BK_E_DENIED));
        EXPECT_THAT(messages.back(), HasSubstr("wrong key: it was encrypted for xor:"));
    }
    {
        OneObject object(With::seekable, 5000);
        object.store->flip_bit(key, 3000);
        messages.push_back(object.failure(object.encryptor, BK_E_CORRUPT));
        EXPECT_THAT(messages.back(), HasSubstr("the tag of block 2 differs"));
    }
    {
        OneObject object(With::seekable, 5000);
        object.store->erase(key);
        messages.push_back(object.failure(object.encryptor, BK_E_CORRUPT));
        EXPECT_THAT(messages.back(), HasSubstr("the object is missing"));
    }
    {
        OneObject object(With::seekable, 5000);
        MemoryStore::Data data = object.store->object(key);
        data.pop_back();
        object.store->set_object(key, data);
        messages.push_back(object.failure(object.encryptor, BK_E_CORRUPT));
        EXPECT_THAT(messages.back(), HasSubstr("bytes, the manifest says"));
    }
    EXPECT_EQ(std::set<std::string>(messages.begin(), messages.end()).size(), 5u);
}

TEST(ObjectReader, AWrongKeyAndADamagedHeaderTogetherAreADamagedHeader) {
    OneObject object(With::seekable, 100);
    object.store->flip_bit(kFolder + "x", 9);
    EXPECT_THAT(object.failure(object.bed.encryptor("key two"), BK_E_CORRUPT),
                HasSubstr("the header is damaged"));
}

TEST(ObjectReader, ACipherWithoutSeekStillTellsAWrongKeyFromDamage) {
    OneObject object(With::stream, 5000);
    EXPECT_EQ(object.record.header_size, 0u);
    (void)object.failure(object.bed.encryptor("key two", "xor-stream"), BK_E_DENIED);
    object.store->flip_bit(kFolder + "x", 3000);
    (void)object.failure(object.encryptor, BK_E_CORRUPT);
}

TEST(ObjectReader, AStreamThatEndsTooEarlyOrGoesOnIsCorrupt) {
    OneObject shorter(With::seekable, 5000);
    shorter.record.packed_size = 5001;
    (void)shorter.failure(shorter.encryptor, BK_E_CORRUPT);
    OneObject longer(With::seekable, 5000);
    longer.record.packed_size = 4000;
    (void)longer.failure(longer.encryptor, BK_E_CORRUPT);
}

/// A bit may be flipped that the codec overlooks: the bytes as they are stored must be right too.
TEST(ObjectReader, WithoutACipherAFlippedBitOfAWholeObjectIsFoundAtItsEnd) {
    OneObject object(With::nothing, 5000);
    for (const size_t at : {0, 2500, 4999}) {
        object.store->flip_bit(kFolder + "x", at, 3);
        EXPECT_THAT(object.failure(nullptr, BK_E_CORRUPT), HasSubstr("its sha256 differs"));
        object.store->flip_bit(kFolder + "x", at, 3);
    }
    (void)object.read(0, 5000);
}

TEST(ObjectReader, AnObjectThatIsReplacedWhileItIsReadIsCorrupt) {
    OneObject object(With::nothing, 5000);
    object.store->on_call([&](Call call, const std::string& key, uint32_t) {
        if (call == Call::open) object.store->set_object(key, MemoryStore::Data(5000, 'x'));
    });
    EXPECT_THAT(object.failure(nullptr, BK_E_CORRUPT), HasSubstr("was replaced"));
}

TEST(ObjectReader, WhatTheStorageSaysComesThrough) {
    OneObject object(With::nothing, 5000);
    object.store->fail({.call = Call::read, .status = BK_E_UNAVAILABLE});
    (void)object.failure(nullptr, BK_E_UNAVAILABLE);
    object.store->fail({.call = Call::stat, .status = BK_E_TIMEOUT});
    (void)object.failure(nullptr, BK_E_TIMEOUT); // and not "missing"
}

} // namespace
} // namespace bkhost
